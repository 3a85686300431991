import { intAttribute, numberAttribute, resolveAxis } from '../../../../graph/attributes.js';
import type { Node, Value } from '../../../../graph/types.js';
import { sizeOf } from '../../../../graph/types.js';
import { channelSums } from '../../kernels/channel-sums.js';
import type { NormShape, NormSums } from '../../kernels/normalization/example-norm.js';
import {
  exampleNorm,
  exampleNormGradient,
  exampleNormGradients,
} from '../../kernels/normalization/example-norm.js';
import { foldSums } from '../../kernels/table.js';
import type { Sums, Table, Tensor } from '../../plan/objects.js';
import { reducedSums } from '../held.js';
import type { Lowering, OperatorTable } from '../lowering.js';
import { unsupported } from '../unsupported.js';

/** Layer normalisation has scales for the elements of a row, the others for channels. */
function shapeOf(node: Node, x: Value): NormShape {
  const inner = x.shape.slice(1);
  const epsilon = numberAttribute(node, 'epsilon', 1e-5);
  if (node.op.startsWith('Layer')) {
    const axis = resolveAxis(node, intAttribute(node, 'axis', -1), x.shape.length);
    if (axis === 0) throw unsupported(node, 'examples that are normalised one by one');
    const length = sizeOf(x.shape.slice(axis));
    return { rows: sizeOf(inner) / length, length, epsilon, affine: { run: 1, count: length } };
  }
  const channels = inner[0]!;
  const rows = node.op.startsWith('Group') ? intAttribute(node, 'num_groups') : channels;
  const pixels = sizeOf(inner.slice(1));
  return { rows, length: sizeOf(inner) / rows, epsilon, affine: { run: pixels, count: channels } };
}

function tableOf(node: Node, value: Value, lowering: Lowering): Table {
  const held = lowering.held(value);
  if (held.kind === 'static') return lowering.table(held);
  throw unsupported(node, 'scale and bias that are parameters or constants');
}

function stored(node: Node, value: Value, lowering: Lowering): Tensor {
  lowering.perExample(node, value);
  return lowering.tensor(value);
}

function forward(node: Node, lowering: Lowering): void {
  const [x, scale, bias] = node.inputs as [Value, Value, Value | null | undefined];
  const shape = shapeOf(node, x);
  const { objects } = lowering;
  const input = stored(node, x, lowering);
  const tables = { scale: tableOf(node, scale, lowering), bias: bias ? tableOf(node, bias, lowering) : null };
  const [y, mean, invStd] = [
    objects.tensor(shape.rows * shape.length),
    objects.tensor(shape.rows),
    objects.tensor(shape.rows),
  ];
  lowering.steps.push(exampleNorm(shape, input, tables, y, { mean, invStd }));
  [y, mean, invStd].forEach((tensor, index) => {
    const output = node.outputs[index];
    if (output) lowering.holdTensor(output, tensor, false);
  });
}

/** Sums over the examples of one number of each element, put together for each scale. */
function holdSums(
  output: Value,
  elements: Sums,
  { affine, rows, length }: NormShape,
  lowering: Lowering,
): void {
  const { run, count } = affine;
  const { shape } = output;
  const sums = lowering.objects.sums(count);
  const repeats = (rows * length) / (run * count);
  lowering.steps.push(foldSums(elements, { shape: [repeats, count, run], strides: [0, 1, 0] }, sums));
  lowering.hold(output, reducedSums(sums, shape));
}

function gradient(node: Node, lowering: Lowering): void {
  const [dy, x, scale, mean, invStd] = node.inputs as [Value, Value, Value, Value, Value];
  const shape = shapeOf(node, x);
  const { objects } = lowering;
  const { hasZeroTail } = lowering.perExample(node, dy);
  const given = {
    gradient: stored(node, dy, lowering),
    input: stored(node, x, lowering),
    scale: tableOf(node, scale, lowering),
    mean: stored(node, mean, lowering),
    invStd: stored(node, invStd, lowering),
  };
  const count = shape.rows * shape.length;
  const dx = objects.tensor(count);
  const [dxValue, ...affineValues] = node.outputs as [Value, Value, Value];
  const { length } = shape;
  if (shape.affine.run === 1 && shape.affine.count === length && shape.rows > 1) {
    const [scale, bias, accumulators] = [objects.sums(length), objects.sums(length), objects.tensor(2 * length)]; // prettier-ignore
    const sums: NormSums = { scale, bias, accumulators, hasZeroTail };
    lowering.steps.push(exampleNormGradients(shape, given, dx, sums, lowering.target));
    [scale, bias].forEach((own, index) => {
      const value = affineValues[index]!;
      lowering.hold(value, reducedSums(own, value.shape));
    });
  } else {
    const products = objects.tensor(count);
    lowering.steps.push(exampleNormGradient(shape, given, dx, products));
    const terms = [products, given.gradient].map((tensor) => {
      const expression = { kind: 'tensor', tensor } as const;
      const held = { kind: 'examples', expression, shape: x.shape, hasZeroTail } as const;
      return { expression: lowering.masked(held), sums: objects.sums(count) };
    });
    lowering.steps.push(channelSums(terms, { channels: count, pixels: 1 }, lowering.target));
    affineValues.forEach((value, index) => {
      holdSums(value, terms[index]!.sums, shape, lowering);
    });
  }
  lowering.holdTensor(dxValue, dx, hasZeroTail);
}

/** Normalisations of each example by itself. */
export const exampleNorms: OperatorTable = [
  ['LayerNormalization', forward],
  ['InstanceNormalization', forward],
  ['GroupNormalization', forward],
  ['LayerNormGrad', gradient],
  ['InstanceNormGrad', gradient],
  ['GroupNormGrad', gradient],
];
