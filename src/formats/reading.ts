/** Something that was decided about a user's files, and what showed it: printed, and kept with the run. */
export interface Reading {
  /** What it is about, such as `order of theta`. */
  readonly about: string;
  readonly decision: string;
  readonly evidence: string;
  /** Whether the user may not have meant it. */
  readonly warning?: boolean | undefined;
}

/** What a reading about the scaling of inputs is about. */
export const inputScaling = 'scaling of inputs';
/** The same of a further input of a network. */
export const furtherScaling = (name: string): string => `${inputScaling} ${name}`;
