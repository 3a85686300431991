import { numberAttribute } from '../../../../graph/attributes.js';
import type { Node, Value } from '../../../../graph/types.js';
import { moments, normGradientTables, normTables } from '../../kernels/normalization/batch-norm.js';
import { channelSums } from '../../kernels/channel-sums.js';
import type { Expression } from '../../plan/expression.js';
import { apply, number } from '../../plan/expression.js';
import type { Geometry } from '../../plan/geometry.js';
import { geometryOf } from '../../plan/geometry.js';
import type { Table } from '../../plan/objects.js';
import { reducedSums } from '../held.js';
import type { Lowering, OperatorTable } from '../lowering.js';
import { unsupported } from '../unsupported.js';

const perChannel = (table: Table): Expression => ({ kind: 'table', table, per: 'channel' });

function parameterTable(node: Node, value: Value, lowering: Lowering): Table {
  const held = lowering.held(value);
  if (held.kind === 'static') return lowering.table(held);
  throw unsupported(node, 'scale and bias that are parameters or constants');
}

function statistic(node: Node, value: Value, lowering: Lowering): Table {
  const held = lowering.held(value);
  if (held.kind === 'statistic') return held.table;
  throw unsupported(node, 'statistics from BatchNormTraining');
}

function sizes(value: Value, lowering: Lowering): { geometry: Geometry; count: number } {
  const geometry = geometryOf(value.shape);
  return { geometry, count: geometry.pixels * lowering.examples };
}

/** y = (x - mean) · slope + bias, with the statistics of the chunk. */
function forward(node: Node, lowering: Lowering): void {
  const [x, scale, bias] = node.inputs as [Value, Value, Value];
  const [y, mean, invStd] = node.outputs as [Value, Value, Value];
  const { objects } = lowering;
  const { geometry, count } = sizes(x, lowering);
  const { channels } = geometry;
  lowering.perExample(node, x);
  const input: Expression = { kind: 'tensor', tensor: lowering.tensor(x) };
  const sums = { sum: objects.sums(channels), squares: objects.sums(channels) };
  const tables = {
    mean: objects.table(channels),
    invStd: objects.table(channels),
    slope: objects.table(channels),
  };
  const epsilon = numberAttribute(node, 'epsilon', 1e-5);
  lowering.steps.push(
    moments(input, geometry, sums),
    normTables(channels, count, epsilon, sums, parameterTable(node, scale, lowering), tables),
  );
  const centred = apply('subtract', input, perChannel(tables.mean));
  const scaled = apply('multiply', centred, perChannel(tables.slope));
  const shifted = apply('add', scaled, perChannel(parameterTable(node, bias, lowering)));
  lowering.holdExpression(y, shifted, false);
  lowering.hold(mean, { kind: 'statistic', table: tables.mean });
  lowering.hold(invStd, { kind: 'statistic', table: tables.invStd });
}

/** One pass for Σ dy and Σ dy · (x - mean) · invStd, then dx from these sums. */
function gradient(node: Node, lowering: Lowering): void {
  const [dy, x, scale, meanValue, invStdValue] = node.inputs as [Value, Value, Value, Value, Value];
  const { objects } = lowering;
  const { geometry, count } = sizes(x, lowering);
  const { channels } = geometry;
  const mean = statistic(node, meanValue, lowering);
  const invStd = statistic(node, invStdValue, lowering);
  lowering.perExample(node, dy);
  lowering.tensor(dy);
  const upstream = lowering.masked(lowering.perExample(node, dy));
  const centred = apply('subtract', lowering.perExample(node, x).expression, perChannel(mean));
  const [dbias, dscale] = [objects.sums(channels), objects.sums(channels)];
  const tables = {
    meanGradient: objects.table(channels),
    pull: objects.table(channels),
    slope: objects.table(channels),
  };
  const normalized = apply('multiply', centred, perChannel(invStd));
  const terms = [
    { expression: upstream, sums: dbias },
    { expression: apply('multiply', upstream, normalized), sums: dscale },
  ];
  const given = { scale: parameterTable(node, scale, lowering), invStd };
  lowering.steps.push(
    channelSums(terms, geometry, lowering.target),
    normGradientTables(channels, count, dbias, dscale, given, tables),
  );
  const pulled = apply('multiply', centred, perChannel(tables.pull));
  const difference = apply('subtract', apply('subtract', upstream, perChannel(tables.meanGradient)), pulled);
  const dx = apply('multiply', difference, perChannel(tables.slope));
  const isWhole = lowering.examples % lowering.target.lanes === 0;
  const [dxValue, dscaleValue, dbiasValue] = node.outputs as [Value, Value, Value];
  const masked = isWhole
    ? dx
    : lowering.masked({ kind: 'examples', expression: dx, shape: x.shape, hasZeroTail: false });
  lowering.holdExpression(dxValue, masked, true);
  for (const [value, sums] of [
    [dscaleValue, dscale],
    [dbiasValue, dbias],
  ] as const) {
    const { shape } = value;
    lowering.hold(value, reducedSums(sums, shape));
  }
}

/** y = (x - mean) · scale / √(variance + ε) + bias, with statistics that are given. */
function withGivenStatistics(node: Node, lowering: Lowering): void {
  const [x, ...given] = node.inputs as [Value, Value, Value, Value, Value];
  const [scale, bias, mean, variance] = given.map((value) =>
    perChannel(parameterTable(node, value, lowering)),
  );
  const { expression } = lowering.perExample(node, x);
  const epsilon = number(numberAttribute(node, 'epsilon', 1e-5));
  const slope = apply('divide', scale!, apply('squareRoot', apply('add', variance!, epsilon)));
  const scaled = apply('multiply', apply('subtract', expression, mean!), slope);
  lowering.holdExpression(node.outputs[0]!, apply('add', scaled, bias!), false);
}

export const batchNorms: OperatorTable = [
  ['BatchNormalization', withGivenStatistics],
  ['BatchNormTraining', forward],
  ['BatchNormGrad', gradient],
];
