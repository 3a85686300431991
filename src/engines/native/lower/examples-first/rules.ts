import { EngineError } from '../../../../errors.js';
import { axesAttribute, axisAttribute, intAttribute, intsAttribute } from '../../../../graph/attributes.js';
import { paddingOf, slicingOf } from '../../../../graph/slices.js';
import type { Node, Value } from '../../../../graph/types.js';
import { elementwise } from '../operators/elementwise.js';
import { unsupported } from '../unsupported.js';
import { einsum } from './einsum.js';
import { gather, gatherGradient } from './gather.js';
import type { Rule } from './operands.js';
import { commonPlace, inputsOf, operand, whole } from './operands.js';
import type { Place } from './place.js';
import { aligned, reshapedPlace, separated } from './place.js';
import { gemm, layerNorm, loss, matMul } from './products.js';
import type { Rewriting } from './rewriting.js';

/** Whole numbers that vary by example as no kernel can compute them may be indices, of which only a part is wanted. */
const elementwiseRule: Rule = (node, rewriting) => {
  const output = node.outputs[0]!;
  const place = commonPlace(node, inputsOf(node), output.shape.length, rewriting);
  const isIndex = output.dtype === 'int32' || output.dtype === 'int64';
  try {
    elementwiseAt(node, place, rewriting);
  } catch (error) {
    if (!isIndex || !(error instanceof EngineError)) throw error;
    rewriting.postpone(output, place, error);
  }
};

function elementwiseAt(node: Node, place: Place, rewriting: Rewriting): void {
  const rank = node.outputs[0]!.shape.length;
  const isPlain = inputsOf(node).every(
    (value) => rewriting.place(value) === null || (rewriting.isFirst(value) && value.shape.length === rank),
  );
  const inputs = node.inputs.map((value) =>
    value && isPlain && rewriting.place(value)
      ? rewriting.canonical(value)
      : value && operand(node, value, rank, place, rewriting),
  );
  if (isPlain) rewriting.keep({ ...node, inputs }, () => true);
  else rewriting.emit(node, inputs, node.attributes, [place]);
}

/** Operators that need the examples alone on axis 0. Outputs that the examples are summed in have no such axis. */
const asItIs =
  (withExamples: (node: Node, output: Value) => boolean): Rule =>
  (node, rewriting) => {
    for (const value of inputsOf(node)) {
      if (rewriting.place(value) !== null && !rewriting.isFirst(value)) {
        throw unsupported(node, 'the examples alone on axis 0');
      }
    }
    rewriting.keep(node, (output) => withExamples(node, output));
  };

const reshape: Rule = (node, rewriting) => {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const place = rewriting.place(input)!;
  const moved = reshapedPlace(input.shape, place, output.shape, rewriting.examples);
  if (moved === null) throw unsupported(node, 'a shape that keeps examples apart');
  const own = rewriting.canonical(input);
  const result = rewriting.settle(output, moved);
  if (own === input && result === output) rewriting.nodes.push(node);
  else {
    const attributes = { shape: result.shape };
    rewriting.nodes.push({ ...node, op: 'Reshape', inputs: [own], attributes, outputs: [result] });
  }
};

const transpose: Rule = (node, rewriting) => {
  const input = node.inputs[0]!;
  const place = rewriting.place(input)!;
  const reversed = input.shape.map((_, axis) => input.shape.length - 1 - axis);
  const perm = intsAttribute(node, 'perm', reversed);
  const moved = { ...place, axis: perm.indexOf(place.axis) };
  if (rewriting.isFirst(input) && perm[0] === 0) rewriting.keep(node, () => true);
  else {
    const attributes = { perm: [0, ...perm.map((axis) => axis + 1)] };
    rewriting.emit(node, [rewriting.separate(node, input)], attributes, [moved]);
  }
};

/** Operators along one axis, all of whose values have the same rank and the examples at the same place. */
const alongAxis =
  (fallback: number): Rule =>
  (node, rewriting) => {
    const rank = node.outputs[0]!.shape.length;
    const axis = axisAttribute(node, rank, fallback);
    const place = commonPlace(node, inputsOf(node), rank, rewriting);
    if (axis === place.axis) throw unsupported(node, 'an axis other than that of the examples');
    if (inputsOf(node).every((value) => rewriting.isFirst(value))) {
      rewriting.keep(node, () => true);
      return;
    }
    const inputs = node.inputs.map((value) => value && whole(node, value, place, rewriting));
    rewriting.emit(
      node,
      inputs,
      { ...node.attributes, axis: axis + 1 },
      node.outputs.map(() => place),
    );
  };

const reduce: Rule = (node, rewriting) => {
  const input = node.inputs[0]!;
  const place = rewriting.place(input)!;
  const axes = axesAttribute(node, input.shape.length);
  const isSummed = axes.includes(place.axis);
  if (rewriting.isFirst(input)) {
    rewriting.keep(node, () => !isSummed);
    return;
  }
  const shifted = [...(isSummed ? [0] : []), ...axes.map((axis) => axis + 1)];
  const isKept = intAttribute(node, 'keepdims', 1) === 1;
  const dropped = isKept ? 0 : axes.filter((axis) => axis < place.axis).length;
  const left = isSummed ? null : { ...place, axis: place.axis - dropped };
  const attributes = { ...node.attributes, axes: shifted };
  rewriting.emit(node, [rewriting.separate(node, input)], attributes, [left]);
};

const slice: Rule = (node, rewriting) => {
  const input = node.inputs[0]!;
  const place = rewriting.place(input)!;
  const { starts, steps, extents } = slicingOf(node);
  const isWhole = starts[place.axis] === 0 && steps[place.axis] === 1 && extents[place.axis] === input.shape[place.axis]; // prettier-ignore
  if (!isWhole) throw unsupported(node, 'all examples');
  if (rewriting.isFirst(input)) {
    rewriting.keep(node, () => true);
    return;
  }
  const axes = [...input.shape.keys()].filter((axis) => axis !== place.axis);
  const ends = axes.map((axis) => {
    const end = starts[axis]! + steps[axis]! * extents[axis]!;
    return end < 0 ? -1 - input.shape[axis]! : end;
  });
  const pick = (list: readonly number[]): number[] => axes.map((axis) => list[axis]!);
  const attributes = { starts: pick(starts), ends, axes: axes.map((axis) => axis + 1), steps: pick(steps) };
  rewriting.emit(node, [rewriting.separate(node, input)], attributes, [place]);
};

const pad: Rule = (node, rewriting) => {
  const input = node.inputs[0]!;
  const place = rewriting.place(input)!;
  const pads = paddingOf(node);
  if (pads[place.axis]!.some((count) => count !== 0)) throw unsupported(node, 'all examples');
  if (rewriting.isFirst(input)) {
    rewriting.keep(node, () => true);
    return;
  }
  const [begins, ends] = [pads.map(([begin]) => begin), pads.map(([, end]) => end)];
  const attributes = { ...node.attributes, pads: [0, ...begins, 0, ...ends] };
  rewriting.emit(node, [rewriting.separate(node, input)], attributes, [place]);
};

const tile: Rule = (node, rewriting) => {
  const input = node.inputs[0]!;
  const place = rewriting.place(input)!;
  const repeats = intsAttribute(node, 'repeats');
  if (repeats[place.axis] !== 1) throw unsupported(node, 'each example once');
  if (rewriting.isFirst(input)) rewriting.keep(node, () => true);
  else rewriting.emit(node, [rewriting.separate(node, input)], { repeats: [1, ...repeats] }, [place]);
};

const expand: Rule = (node, rewriting) => {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const rank = output.shape.length;
  const place = aligned(rewriting.place(input)!, input.shape.length, rank);
  if (output.shape[place.axis] !== input.shape[rewriting.place(input)!.axis]) throw unsupported(node, 'each example once'); // prettier-ignore
  if (rewriting.isFirst(input) && place.axis === 0) rewriting.keep(node, () => true);
  else {
    const shape = separated(output.shape, place, rewriting.examples);
    rewriting.emit(node, [rewriting.separate(node, input, rank)], { shape }, [place]);
  }
};

const everywhere = asItIs(() => true);
const onlyFirstOutput = asItIs((node, output) => output === node.outputs[0]);
const nowhere = asItIs(() => false);
const softmax = alongAxis(-1);

const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...elementwise.map(([op]) => [op, elementwiseRule] as const),
  ...['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze'].map((op) => [op, reshape] as const),
  ...['Softmax', 'LogSoftmax', 'SoftmaxGrad', 'LogSoftmaxGrad'].map((op) => [op, softmax] as const),
  ...['Concat', 'Split'].map((op) => [op, alongAxis(0)] as const),
  ...['ReduceSum', 'ReduceMean', 'ReduceMax'].map((op) => [op, reduce] as const),
  ...['SoftmaxCrossEntropyLoss', 'SoftmaxCrossEntropyLossGrad'].map((op) => [op, loss] as const),
  ...['LayerNormalization', 'LayerNormGrad'].map((op) => [op, layerNorm] as const),
  ...['BatchNormTraining', 'BatchNormGrad', 'InstanceNormGrad', 'GroupNormGrad'].map((op) => [op, onlyFirstOutput] as const), // prettier-ignore
  ['ConvGradWeight', nowhere],
  ['Transpose', transpose],
  ['Slice', slice],
  ['Pad', pad],
  ['Tile', tile],
  ['Expand', expand],
  ['MatMul', matMul],
  ['Gemm', gemm],
  ['Einsum', einsum],
  ['Gather', gather],
  ['GatherGrad', gatherGradient],
]);

/** How a node's examples get onto axis 0; of operators without a rule they must be there. */
export function ruleOf(node: Node): Rule {
  return rules.get(node.op) ?? everywhere;
}
