import { intAttribute } from '../../../../graph/attributes.js';
import type { Node, Value } from '../../../../graph/types.js';
import { sizeOf } from '../../../../graph/types.js';
import type { Pooling } from '../../../../graph/windows.js';
import { poolingOf } from '../../../../graph/windows.js';
import { pixelSums } from '../../kernels/pool.js';
import {
  averagePool,
  averagePoolGradient,
  indexVectors,
  maxPool,
  maxPoolGradient,
} from '../../kernels/pool.js';
import { geometryOf } from '../../plan/geometry.js';
import type { Lowering, OperatorTable } from '../lowering.js';
import { indexOf, poolBehind } from '../simplify.js';
import { unsupported } from '../unsupported.js';

const elementsOf = (value: Value): number => sizeOf(value.shape.slice(1));

function supportedPooling(node: Node): Pooling {
  const pooling = poolingOf(poolBehind(node));
  if (pooling.input.length > 2) throw unsupported(node, 'one or two spatial axes');
  if (sizeOf(pooling.kernel) > 256) throw unsupported(node, 'windows of at most 256 elements');
  return pooling;
}

function lowerMaxPool(node: Node, lowering: Lowering): void {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const { hasZeroTail } = lowering.perExample(node, input);
  const from = lowering.tensor(input);
  const to = lowering.objects.tensor(elementsOf(output));
  const indexValue = indexOf(node);
  const index = indexValue && lowering.objects.tensor(indexVectors(elementsOf(output)));
  lowering.steps.push(maxPool(supportedPooling(node), from, to, index));
  lowering.holdTensor(output, to, hasZeroTail);
  if (indexValue && index) lowering.holdTensor(indexValue, index, false);
}

function lowerMaxPoolGradient(node: Node, lowering: Lowering): void {
  const [dy, index] = node.inputs as [Value, Value];
  const output = node.outputs[0]!;
  const { hasZeroTail } = lowering.perExample(node, dy);
  const gradient = lowering.tensor(dy);
  const to = lowering.objects.tensor(elementsOf(output));
  lowering.steps.push(maxPoolGradient(supportedPooling(node), gradient, lowering.tensor(index), to));
  lowering.holdTensor(output, to, hasZeroTail);
}

function lowerAverage(node: Node, lowering: Lowering): void {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const { hasZeroTail } = lowering.perExample(node, input);
  const from = lowering.tensor(input);
  const to = lowering.objects.tensor(elementsOf(output));
  const includesPad = intAttribute(node, 'count_include_pad', 0) === 1;
  const kernel = node.op === 'AveragePool' ? averagePool : averagePoolGradient;
  lowering.steps.push(kernel(supportedPooling(node), includesPad, from, to));
  lowering.holdTensor(output, to, hasZeroTail);
}

function lowerGlobalAverage(node: Node, lowering: Lowering): void {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const { hasZeroTail } = lowering.perExample(node, input);
  const geometry = geometryOf(input.shape);
  const to = lowering.objects.tensor(geometry.channels);
  lowering.steps.push(pixelSums(lowering.copyable(node, input), geometry, 1 / geometry.pixels, to));
  lowering.holdTensor(output, to, hasZeroTail);
}

export const pools: OperatorTable = [
  ['MaxPool', lowerMaxPool],
  ['MaxPoolGrad', lowerMaxPoolGradient],
  ['AveragePool', lowerAverage],
  ['AveragePoolGrad', lowerAverage],
  ['GlobalAveragePool', lowerGlobalAverage],
];
