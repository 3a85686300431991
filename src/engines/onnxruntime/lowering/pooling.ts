import { poolingOf } from '../../../graph/windows.js';
import { averagePool, averagePoolGrad } from './average-pool.js';
import type { LoweringTable } from './lowering.js';
import { maxPoolGrad } from './max-pool-grad.js';
import { poolingAttributes } from './pooling-attributes.js';

/** Pooling and its gradients. */
export const pools: LoweringTable = {
  MaxPool: (emit, node, inputs) => emit.add('MaxPool', inputs, poolingAttributes(poolingOf(node))),
  MaxPoolGrad: maxPoolGrad,
  AveragePool: averagePool,
  AveragePoolGrad: averagePoolGrad,
  GlobalAveragePool: (emit, _node, inputs) => emit.add('GlobalAveragePool', inputs),
};
