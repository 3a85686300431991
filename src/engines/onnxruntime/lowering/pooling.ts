import { averagePool, averagePoolGrad } from './average-pool.js';
import type { LoweringTable } from './lowering.js';
import { maxPool, maxPoolGrad } from './max-pool.js';

/** Pooling and its gradients. */
export const pools: LoweringTable = {
  MaxPool: maxPool,
  MaxPoolGrad: maxPoolGrad,
  AveragePool: averagePool,
  AveragePoolGrad: averagePoolGrad,
  GlobalAveragePool: (emit, _node, inputs) => emit.add('GlobalAveragePool', inputs),
};
