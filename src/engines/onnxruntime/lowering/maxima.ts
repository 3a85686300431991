import type { Emitter } from '../../../onnx/standard/emitter.js';
import type { Lowering } from '../../../onnx/standard/lowering.js';
import { reductions } from '../../../onnx/standard/reduction.js';

/**
 * Maxima `y` of `x`, or NaN where any number of `x` is one: ONNX Runtime's MaxPool and ReduceMax pass a NaN over, and the loss would
 * stay finite. Clipped numbers have a finite sum unless one of them is NaN; infinities stay maxima.
 */
export function withNaN(emit: Emitter, y: string, x: string): string {
  const clipped = emit.add('Clip', [x, emit.scalar(-1), emit.scalar(1)]);
  const sum = emit.add('ReduceSum', [clipped], { keepdims: 0 });
  return emit.add('Add', [y, emit.add('Mul', [sum, emit.scalar(0)])]);
}

export const reduceMax: Lowering = (emit, node, inputs) => {
  const y = reductions['ReduceMax']!(emit, node, inputs) as string;
  return node.inputs[0]!.dtype === 'float32' ? withNaN(emit, y, inputs[0]!) : y;
};
