import type { Value } from '../../../graph/types.js';
import { mixAlong } from './along-axis.js';
import { axisOf } from './arguments.js';
import type { NodeContext, TranslationTable } from '../context.js';

function epsilon(c: NodeContext): number {
  return c.attributes.float('epsilon', 1e-5);
}

/** Whether the chunk's statistics are used. Before opset 14, that was said by asking for the updated running ones. */
function usesChunkStatistics(c: Pick<NodeContext, 'opset' | 'attributes' | 'node'>): boolean {
  if (c.opset >= 14) return c.attributes.int('training_mode', 0) === 1;
  return c.node.output.filter((name) => name !== '').length > 1;
}

/** The updated running statistics are no part of what is measured; only y is given back. */
function batchNormalization(c: NodeContext): Value {
  const inputs = [c.value(0), c.value(1), c.value(2)];
  if (usesChunkStatistics(c)) return c.add('BatchNormTraining', inputs, { epsilon: epsilon(c) });
  return c.add('BatchNormalization', [...inputs, c.value(3), c.value(4)], { epsilon: epsilon(c) });
}

function layerNormalization(c: NodeContext): readonly Value[] {
  const axis = axisOf(c, c.rank(0), -1);
  return c.addMany('LayerNormalization', [c.value(0), c.value(1), c.optionalValue(2)], {
    axis,
    epsilon: epsilon(c),
  });
}

/** From opset 21 on, scale and bias belong to channels; before, to groups. */
function groupNormalization(c: NodeContext): Value {
  const groups = c.attributes.int('num_groups', 1);
  const members = c.shape(0)[1]! / groups;
  const perChannel = (value: Value): Value => {
    if (c.opset >= 21) return value;
    const column = c.add('Reshape', [value], { shape: [groups, 1] });
    const spread = c.add('Expand', [column], { shape: [groups, members] });
    return c.add('Reshape', [spread], { shape: [groups * members] });
  };
  const affine = [c.value(1), c.value(2)].map(perChannel);
  return c.add('GroupNormalization', [c.value(0), ...affine], { num_groups: groups, epsilon: epsilon(c) });
}

/** x / sqrt(mean(x²) + ε) · scale */
function rootMeanSquare(c: NodeContext): Value {
  const x = c.value(0);
  const axes = [...x.shape.keys()].slice(axisOf(c, x.shape.length, -1));
  const mean = c.add('ReduceMean', [c.add('Mul', [x, x])], { axes });
  const root = c.add('Sqrt', [c.add('Add', [mean, c.scalar(epsilon(c))])]);
  return c.add('Mul', [c.add('Div', [x, root]), c.value(1)]);
}

/** x / (bias + alpha / size · Σ x² of the `size` channels around each)^beta, the earlier neighbours fewer by one where size is even. */
function localResponse(c: NodeContext): Value {
  const x = c.value(0);
  const size = c.attributes.int('size', 1);
  const channels = Array.from({ length: x.shape[1]! }, (_, k) => k);
  const before = Math.floor((size - 1) / 2);
  const weigh = (k: number, i: number): number => (i >= k - before && i < k - before + size ? 1 : 0);
  const squares = c.add('Mul', [x, x]);
  const sums = mixAlong(c, squares, 1, channels.map((k) => channels.map((i) => weigh(k, i)))); // prettier-ignore
  const share = c.scalar(c.attributes.float('alpha', 1e-4) / size);
  const mean = c.add('Add', [c.add('Mul', [sums, share]), c.scalar(c.attributes.float('bias', 1))]);
  return c.add('Div', [x, c.add('Pow', [mean, c.scalar(c.attributes.float('beta', 0.75))])]);
}

/** Normalisations. */
export const normalizations: TranslationTable = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  InstanceNormalization: (c) =>
    c.add('InstanceNormalization', [c.value(0), c.value(1), c.value(2)], { epsilon: epsilon(c) }),
  GroupNormalization: groupNormalization,
  LRN: localResponse,
  RMSNormalization: rootMeanSquare,
};
