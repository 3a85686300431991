/** A part of a data set, contiguous in memory and shareable between threads. Never written to after it is made. */
export interface Examples {
  readonly count: number;
  /** Shape of one example, such as [1, 28, 28]. */
  readonly shape: readonly number[];
  /** [count, …shape], row-major, on a SharedArrayBuffer. Images stay uint8. */
  readonly inputs: Uint8Array | Float32Array | Int32Array;
  /** Class of each example [count], or regression targets [count, …] as float32. */
  readonly labels: Int32Array | Float32Array;
}

export type SplitName = 'train' | 'validation' | 'test';

export interface Dataset {
  readonly name: string;
  readonly classes: number;
  readonly splits: Readonly<Record<SplitName, Examples>>;
  /** SHA-256 of the split (which example went where, in which order), hex; part of the objective's definition. */
  readonly splitHash: string;
  /** Sources and their SHA-256, for the manifest. */
  readonly files: readonly { readonly name: string; readonly sha256: string }[];
}
