import type { Sums, Table, Tensor } from '../../plan/objects.js';
import type { Step } from '../../plan/step.js';
import type { Target } from '../../toolchain/target.js';
import type { ProductSums } from '../product-sums.js';
import { packSplitDense, splitDense, splitDenseLength } from '../split/dense.js';
import { splitDenseWeights, suitsSplitFirstAxis } from '../split/weights.js';
import { dense, type DenseOptions, packDense, type Weight } from './dense.js';
import { denseWeights, suitsFirstAxis } from './weights.js';

/** The kernels of dense layers, by what multiplies. */
export interface DenseKernels {
  /** Numbers that a packed weight [rows, columns] takes. */
  readonly packedLength: (rows: number, columns: number) => number;
  /** Whether weights are packed with their factor; else it is left to what is stored. */
  readonly packsFactor: boolean;
  readonly pack: (weight: Weight, packed: Table) => Step;
  /** Output [tokens, rows] of each example = input [tokens, columns] · transposed weight [rows, columns]. */
  readonly product: (options: DenseOptions) => Step;
  /** True where the columns of [p, q] sums should be the first axis. */
  readonly suitsFirstAxis: (p: number, q: number) => boolean;
  /** Adds Σ over examples and their tokens of rows [tokens, rows] · columns [tokens, columns] to the padded sums `packed`. */
  readonly weights: (shape: ProductSums, rows: Tensor, columns: Tensor, packed: Sums, tokens: number) => Step;
}

/** By vectors of float32, or by the target's matrix unit where it has one. */
export function denseKernels(target: Target): DenseKernels {
  if (target.matrixUnit !== null) {
    return { packedLength: splitDenseLength, packsFactor: true, pack: packSplitDense, product: splitDense, suitsFirstAxis: suitsSplitFirstAxis, weights: splitDenseWeights }; // prettier-ignore
  }
  return {
    packedLength: (rows, columns) => rows * columns,
    packsFactor: false,
    pack: (weight, packed) => packDense(weight, target, packed),
    product: dense,
    suitsFirstAxis: (p, q) => suitsFirstAxis(p, q, target.lanes),
    weights: denseWeights,
  };
}
