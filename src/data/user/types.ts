import type { NdArray } from '../../formats/array.js';
import type { SourceFile } from '../types.js';

/** Named arrays of a user's own data, wherever they are kept. */
export interface ArraySet {
  readonly names: readonly string[];
  readonly files: readonly SourceFile[];
  read(name: string): Promise<NdArray>;
  close(): Promise<void>;
}
