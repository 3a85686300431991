import type { Constant, Value } from '../../../graph/types.js';
import type { StoredObject, Sums } from './objects.js';

export interface Argument {
  readonly object: StoredObject;
  readonly access: 'read' | 'write';
}

/** A C function without its name; two steps whose functions have the same text share one. */
export interface KernelFunction {
  /** What it does, as the start of its name, such as `dense`. */
  readonly label: string;
  /** C parameters that follow those that every function of its rate has. */
  readonly parameters: string;
  readonly body: string;
}

/**
 * How often a step runs:
 * - `group`: best on one group of examples at a time, while its data are in the cache;
 * - `batch`: best on many groups at once, because it reuses weights or sums over examples;
 * - `once`: after all groups of the chunk, when sums are complete.
 */
export type Rate = 'group' | 'batch' | 'once';

/**
 * How a step divides. Its function takes two more numbers, `low` and `high`, and does those of the equal parts of each example: part p of a
 * tensor of E elements has those from p · E / parts to (p + 1) · E / parts.
 */
export interface Split {
  readonly parts: number;
  /** It is cut only between tiles, which have so many parts at most: see `splitEvenly`. */
  readonly tile: number;
  /** Tensors of which each part may read all, or write any element. */
  readonly whole: ReadonlySet<StoredObject>;
}

/** One call of a kernel. */
export interface Step {
  readonly rate: Rate;
  readonly function: KernelFunction;
  /** In the order of the function's own parameters. */
  readonly arguments: readonly Argument[];
  /** Null for what takes whole examples. */
  readonly split: Split | null;
  /** Products that the definition of the operator has for each example; for benchmarks. */
  readonly multiplyAdds: number;
}

/** A graph as steps, in an order that respects what needs what. */
export interface GraphSteps {
  /** N. */
  readonly examples: number;
  readonly feeds: readonly Value[];
  /** Place of the feed that alone changes in runs again; null: there are none. */
  readonly varied: number | null;
  /** Whether a step multiplies by the target's matrix unit. */
  readonly usesMatrixUnit: boolean;
  /** What the steps read as `constants`, in order. */
  readonly constants: readonly Constant[];
  /** How many numbers are computed when θ is set. */
  readonly derived: number;
  readonly loadSteps: readonly Step[];
  readonly steps: readonly Step[];
  /** Run last, only where the caller wants the gradient. */
  readonly gradientSteps: readonly Step[];
  readonly loss: { readonly sums: Sums; readonly factor: number };
}
