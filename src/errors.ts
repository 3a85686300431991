/** What went wrong, in the three parts that every message of this project has. */
export interface Problem {
  /** What was given, or what happened. */
  readonly given: string;
  /** What was expected instead. */
  readonly expected: string;
  /** What the reader can do about it. */
  readonly remedy: string;
}

/** Names of the error classes, for `switch` statements and machine-readable output. */
export type ErrorTag = 'usage' | 'data' | 'graph' | 'numeric' | 'store' | 'engine';

/** Control and format characters, line ends and tabs excepted: able to move a terminal's cursor, or to turn text around. */
const commanding = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/** Text of which a terminal shows everything and does nothing: what could command it becomes U+FFFD. Names come from users' files. */
export function harmless(text: string): string {
  return text.replace(commanding, '\ufffd');
}

/** Whether text is one line that can be printed as it is. */
export function isPlainText(text: string): boolean {
  return !/[\n\t]/.test(text) && harmless(text) === text;
}

/** Every error that this project throws on purpose. `exitCode` is the command line's exit status. */
export abstract class LossledgerError extends Error {
  abstract readonly tag: ErrorTag;
  abstract readonly exitCode: 1 | 2;
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    const { given, expected, remedy } = problem;
    super(harmless(`${given}\n  expected: ${expected}\n  to do:    ${remedy}`), options);
    this.problem = { given: harmless(given), expected: harmless(expected), remedy: harmless(remedy) };
    this.name = new.target.name;
  }
}

/** Wrong use: an unknown name, an option out of range, a file that does not fit the schema. */
export class UsageError extends LossledgerError {
  readonly tag = 'usage';
  readonly exitCode = 2;
}

/** A data set, model or trajectory file that is missing, damaged or does not fit. */
export class DataError extends LossledgerError {
  readonly tag = 'data';
  readonly exitCode = 2;
}

/** A graph that is malformed or uses what is not supported. */
export class GraphError extends LossledgerError {
  readonly tag = 'graph';
  readonly exitCode = 2;
}

/** Where a number that is not finite appeared. */
export interface NumericLocation {
  /** Zero-based optimiser step or segment, if known. */
  readonly iteration?: number;
  /** Name of the parameter tensor, or `loss`. */
  readonly tensor?: string;
  /** Flat index inside the tensor. */
  readonly index?: number;
}

/** A NaN or infinity, or a quantity that diverged. What was stored before stays valid. */
export class NumericError extends LossledgerError {
  readonly tag = 'numeric';
  readonly exitCode = 1;

  constructor(
    problem: Problem,
    readonly location: NumericLocation,
    options?: ErrorOptions,
  ) {
    super(problem, options);
  }
}

/** A run folder that cannot be read or written: it exists, is locked, newer, damaged, or the disk is full. */
export class StoreError extends LossledgerError {
  readonly tag = 'store';
  readonly exitCode: 1 | 2;

  constructor(problem: Problem, options?: ErrorOptions & { exitCode?: 1 | 2 }) {
    super(problem, options);
    this.exitCode = options?.exitCode ?? 2;
  }
}

/** An engine that is not available, or failed to compile or run a graph. */
export class EngineError extends LossledgerError {
  readonly tag = 'engine';
  readonly exitCode: 1 | 2;

  constructor(problem: Problem, options?: ErrorOptions & { exitCode?: 1 | 2 }) {
    super(problem, options);
    this.exitCode = options?.exitCode ?? 1;
  }
}

/** The one guard: true for every error of this project. */
export function isLossledgerError(error: unknown): error is LossledgerError {
  return error instanceof LossledgerError;
}
