import { GraphError } from '../../errors.js';
import type { Shape } from '../../graph/types.js';
import { sizeOf } from '../../graph/types.js';
import type { Node } from '../protobuf/onnx_pb.js';
import { isStatic, type Operand } from './static-tensor.js';

/**
 * A model that was exported with a fixed number of examples, read for another number. The shapes that its Reshape nodes give as
 * constants hold the exported number somewhere, alone or merged with other extents (`[length, batch · heads, width]`). A Reshape
 * keeps the order of elements, so where the examples are in that order says which extent of the result grows with them.
 */
export class FixedBatch {
  /** For tensors whose growing axis was merged: the product of the extents that were merged in front of the examples. */
  readonly #merged = new Map<string, number>();

  constructor(
    /** All tensors for the exported number of examples, by name. */
    readonly tensors: ReadonlyMap<string, Operand>,
    readonly exported: number,
    readonly examples: number,
  ) {}

  /**
   * The shape that a Reshape with the argument `given` gives to its first input, of shape `from`; null where the argument holds for
   * any number of examples.
   */
  reshaped({ input, output }: Node, from: Shape, given: readonly number[]): number[] | null {
    const target = this.tensors.get(output[0]!)?.shape;
    const axis = this.#growingAxis(input[0]!, from);
    if (target === undefined || axis < 0 || !this.#isConstant(input[1]!, given)) return null;
    const before = sizeOf(from.slice(0, axis)) * (this.#merged.get(input[0]!) ?? 1);
    const place =
      this.exported > 1
        ? placeOf(target, before)
        : unitPlaceOf(target, before, from.slice(axis + 1), from.length);
    if (place < 0 || target[place]! % this.exported !== 0) return null;
    this.#merged.set(output[0]!, before / sizeOf(target.slice(0, place)));
    return target.map((extent, k) => (k === place ? (extent / this.exported) * this.examples : extent));
  }

  /** Whether an argument is the same as for the exported number of examples. */
  #isConstant(name: string, given: readonly number[]): boolean {
    const exported = this.tensors.get(name);
    return (
      exported !== undefined && isStatic(exported) && given.every((value, k) => value === exported.data[k])
    );
  }

  /** Keeps track of the examples in what a node other than a Reshape made: its growing axis is the input's of the same extent. */
  follow({ opType, input, output }: Node, name: string, shape: Shape): void {
    const extent = this.tensors.get(name)?.shape[this.#growingAxis(name, shape)];
    if (extent === undefined || extent === this.exported || (opType === 'Reshape' && name === output[0]))
      return;
    const source = input.find(
      (from) => this.#merged.has(from) && this.tensors.get(from)!.shape.includes(extent),
    );
    if (source !== undefined) this.#merged.set(name, this.#merged.get(source)!);
  }

  /** What to say where the model cannot be read for another number of examples. */
  misfit(cause: GraphError): GraphError {
    return new GraphError(
      {
        given: `a model exported for ${this.exported} examples, in a chunk of ${this.examples}: ${cause.problem.given}`,
        expected: cause.problem.expected,
        remedy: 'export it with a symbolic batch axis (dynamic_axes), and without that number as a constant',
      },
      { cause },
    );
  }

  /** The first axis that differs from the exported shape; -1 where none does. */
  #growingAxis(name: string, shape: Shape): number {
    const exported = this.tensors.get(name)?.shape;
    return exported === undefined ? -1 : shape.findIndex((extent, axis) => extent !== exported[axis]);
  }
}

/** The axis on which the elements are counted that have `before` others in front; -1 where it has none. */
function placeOf(target: Shape, before: number): number {
  return target.findIndex((_, axis) => {
    const outer = sizeOf(target.slice(0, axis));
    return outer <= before && before < outer * target[axis]! && before % outer === 0;
  });
}

/**
 * The same for a single exported example, which any axis in its place may hold: an extent of 1 there, else the axis in front of
 * extents that follow the examples unchanged, or of those that are merged.
 */
function unitPlaceOf(target: Shape, before: number, after: Shape, rank: number): number {
  const alone = target.findIndex((extent, axis) => extent === 1 && sizeOf(target.slice(0, axis)) === before);
  if (alone >= 0) return alone;
  const merged = target.length - after.length - 1;
  if (merged >= 0 && after.every((extent, k) => extent === target[merged + 1 + k])) return merged;
  const front = target.findIndex((_, axis) => sizeOf(target.slice(0, axis + 1)) === before);
  return target.length < rank && front >= 0 ? front : placeOf(target, before);
}
