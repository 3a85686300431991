import { RunReader } from '../format/reader.js';

/** A run in a folder of this machine, as it was when it was opened. */
export class RunFolder extends RunReader {
  get folder(): string {
    return this.context.place;
  }
}
