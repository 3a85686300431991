/** Something that was decided about a user's files, and what showed it: printed, and kept with the run. */
export interface Reading {
  /** What it is about, such as `order of theta`. */
  readonly about: string;
  readonly decision: string;
  readonly evidence: string;
  /** Whether the user may not have meant it. */
  readonly warning?: boolean | undefined;
}
