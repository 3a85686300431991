import { RunReader } from '../format/reader.js';
import type { PartsElsewhere } from './parts/part-copy.js';

/** A run in a folder of this machine, as it was when it was opened. */
export class RunFolder extends RunReader {
  get folder(): string {
    return this.context.place;
  }

  /** @internal Where parts of this run are beside the folder; null: nowhere. */
  get elsewhere(): PartsElsewhere | null {
    return null;
  }
}
