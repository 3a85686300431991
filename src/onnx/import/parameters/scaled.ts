import type { Tensor } from '../../protobuf/onnx_pb.js';
import { readTensor, type ExternalData } from '../../protobuf/tensor.js';
import { malformed, type OnnxFile } from '../file.js';
import { isAnonymous, roleOfInitializer } from './roles.js';
import { readersOf } from './uses.js';

/** Fewer different numbers than this may be proportional by chance. */
const fewestDistinct = 3;
/** Tensors of more numbers are not compared. */
const mostNumbers = 2 ** 22;

/** How many times its numbers, in whatever order, another tensor's are; null where that is no one number. Both are sorted. */
function factorOf(copy: Float64Array, source: Float64Array): number | null {
  const largest = source.findLast((value) => value !== 0);
  for (const turned of [copy, copy.map((value) => -value).sort()]) {
    const factor = turned.at(-1)! / source.at(-1)!;
    const bound = 1e-6 * Math.max(Math.abs(factor * source[0]!), Math.abs(factor * (largest ?? 0)));
    const fits = turned.every((value, k) => Math.abs(value - factor * source[k]!) <= bound);
    if (fits && factor > 0 && Number.isFinite(factor)) return turned === copy ? factor : -factor;
  }
  return null;
}

/** The mean size of numbers, in units of the largest: the same for proportional tensors, whatever their order. */
function meanOfLargest(data: ArrayLike<number>): number {
  let [sum, largest] = [0, 0];
  for (let k = 0; k < data.length; k++) {
    sum += Math.abs(data[k]!);
    largest = Math.max(largest, Math.abs(data[k]!));
  }
  return sum / largest / data.length;
}

/**
 * Refuses tensors without a name that are a trained one times a number, as constant folding makes them of `2 * weight`: they would stay
 * while the weight moves. Throws GraphError.
 */
export function refuseScaledCopies(file: OnnxFile, external: ExternalData | undefined): void {
  const readers = readersOf(file.nodes);
  const sorted = (tensor: Tensor): Float64Array =>
    Float64Array.from(readTensor(tensor, external).data).sort();
  const evenness = new Map<string, number>();
  const evennessOf = (tensor: Tensor): number => {
    const known = evenness.get(tensor.name) ?? meanOfLargest(readTensor(tensor, external).data);
    evenness.set(tensor.name, known);
    return known;
  };
  const tensors = [...file.initializers.values()].filter(({ name }) => readers.has(name));
  const sizeOf = ({ dims }: Tensor): number => dims.reduce((size, extent) => size * Number(extent), 1);
  const isTrained = (tensor: Tensor): boolean =>
    !isAnonymous(tensor.name) && roleOfInitializer(tensor, readers, external).verdict === 'trained';
  for (const copy of tensors.filter(({ name }) => isAnonymous(name))) {
    if (sizeOf(copy) > mostNumbers) continue;
    const alike = tensors.filter(
      (other) =>
        sizeOf(other) === sizeOf(copy) &&
        isTrained(other) &&
        Math.abs(evennessOf(other) - evennessOf(copy)) < 1e-5,
    );
    if (alike.length === 0) continue;
    const numbers = sorted(copy);
    if (new Set(numbers).size < fewestDistinct) continue;
    for (const source of alike) {
      const factor = factorOf(numbers, sorted(source));
      if (factor !== null) throw scaled(copy.name, source.name, factor);
    }
  }
}

function scaled(copy: string, source: string, factor: number): Error {
  return malformed(
    `tensor ${copy} that is ${Number(factor.toPrecision(6))} times ${source}, which would stay while that moves`,
    'weights that are read under their own names',
    'export with do_constant_folding=False, so that the product is computed in the network',
  );
}
