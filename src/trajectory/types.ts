/** One parameter tensor of the model that a trajectory must fit, in the order of θ. */
export interface TensorShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A trajectory recorded elsewhere, read one row at a time. */
export interface Trajectory {
  /** T + 1, at least 2. */
  readonly rows: number;
  /** Training iteration of each row [T+1], ascending; 0 … T unless the file says otherwise. */
  readonly iteration: readonly number[];
  /**
   * θ_t [K] in the model's order. Cheapest in ascending order: compressed files are read front to back, and again from the start
   * for an earlier row. Throws DataError where a number is not finite or the file turns out damaged.
   */
  row(t: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/** An array of a file [rows, …shape] of float32 whose rows are read one at a time. */
export interface RowArray {
  readonly shape: readonly number[];
  row(t: number): Promise<Float32Array>;
}

/** A file of named arrays. */
export interface RowFile {
  readonly name: string;
  readonly names: readonly string[];
  /** Throws DataError where the array is not float32. */
  rows(name: string): Promise<RowArray>;
  /** A one-dimensional array of integers; throws DataError where it is none. */
  integers(name: string): Promise<number[]>;
  close(): Promise<void>;
}
