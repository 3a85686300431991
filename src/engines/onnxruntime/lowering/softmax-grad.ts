import type { LoweringTable } from '../../../onnx/standard/lowering.js';
import { reduce, softmaxAxis } from '../../../onnx/standard/reduction.js';

export const softmaxGradients: LoweringTable = {
  /** dx = y (dy - Σ dy y) along the axis. */
  SoftmaxGrad: (emit, node, [dy, y]) => {
    const sum = reduce(emit, 'ReduceSum', emit.add('Mul', [dy!, y!]), [softmaxAxis(node)]);
    return emit.add('Mul', [y!, emit.add('Sub', [dy!, sum])]);
  },

  /** dx = dy - exp(y) Σ dy along the axis. */
  LogSoftmaxGrad: (emit, node, [dy, y]) => {
    const sum = reduce(emit, 'ReduceSum', dy!, [softmaxAxis(node)]);
    return emit.add('Sub', [dy!, emit.add('Mul', [emit.add('Exp', [y!]), sum])]);
  },
};
