import { averagePool, averagePoolGrad } from './average-pool.js';
import type { LoweringTable } from '../../../onnx/standard/lowering.js';
import { maxPool, maxPoolGrad } from './max-pool.js';

/** Pooling and its gradients. */
export const pools: LoweringTable = {
  MaxPool: maxPool,
  MaxPoolGrad: maxPoolGrad,
  AveragePool: averagePool,
  AveragePoolGrad: averagePoolGrad,
};
