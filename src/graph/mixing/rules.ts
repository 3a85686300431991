import { activations } from '../activations/table.js';
import { equationOf } from '../einsum.js';
import { slicingOf } from '../slices.js';
import type { Node, Value } from '../types.js';
import { afterOf, type Place, type Placed } from './place.js';

/** What a rule looks at: a node, and what each of its inputs knows of the examples; null: it does not depend on them. */
export interface Situation {
  readonly node: Node;
  readonly placed: readonly (Placed | null)[];
  readonly examples: number;
}

/** Elements between the examples in a node's outputs; null where they may come together. */
type Rule = (situation: Situation, output: Value) => number | null;

/** The only entry, where all are the same; null where they differ, or one is. */
function agreed(found: readonly (number | null)[]): number | null {
  return found.every((each) => each === found[0]) ? found[0]! : null;
}

const present = (placed: readonly (Placed | null)[]): Placed[] => placed.filter((each) => each !== null);

/** What all inputs of examples agree on, each brought to the output by `to`: its axis there, or null. */
function brought({ placed }: Situation, { shape }: Value, to: (own: Placed) => number | null): number | null {
  return agreed(
    present(placed).map((own) => {
      const axis = to(own);
      return axis === null ? null : afterOf(shape, { axis, inner: own.place.inner });
    }),
  );
}

/** Axes counted from the last one, as numpy broadcasts. */
const fromTheEnd = (own: Placed, { shape }: Value): number => own.place.axis + shape.length - own.value.shape.length; // prettier-ignore

const broadcast: Rule = (situation, output) => brought(situation, output, (own) => fromTheEnd(own, output));

/** Elements stay in row-major order. */
const inOrder: Rule = ({ placed }) => {
  const [own] = present(placed);
  return own === undefined ? null : afterOf(own.value.shape, own.place);
};

const axesOf = ({ attributes }: Node, rank: number): number[] | null => {
  const axes = attributes['axes'] ?? attributes['axis'];
  return axes === undefined ? null : [axes].flat().map((axis) => (Number(axis) + rank) % rank);
};

/** The axes that a node brings together, in [0, rank). */
function joinedAxes(node: Node, rank: number): number[] {
  return axesOf(node, rank) ?? (node.op.startsWith('Reduce') ? [...Array(rank).keys()] : [rank - 1]);
}

/** Whether a node that brings together numbers along axes does so with those of different examples. */
export function joinsExamples({ node, placed }: Situation): boolean {
  const [own] = placed;
  return (
    /^(Reduce|Softmax$|LogSoftmax$)/.test(node.op) &&
    own != null &&
    joinedAxes(node, own.value.shape.length).includes(own.place.axis)
  );
}

const reduced: Rule = ({ node, placed: [own] }) => {
  const { shape } = own!.value;
  const axes = joinedAxes(node, shape.length);
  if (axes.includes(own!.place.axis)) return null;
  return afterOf(shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent)), own!.place);
}; // prettier-ignore

const alongAxis: Rule = (situation) =>
  joinsExamples(situation) ? null : inOrder(situation, situation.node.outputs[0]!);

/** The output's axes are the first input's; of these only `axes` may hold the examples. */
const onAxes = (...axes: number[]): Rule => (situation, output) => {
  const [own, ...others] = situation.placed;
  if (own == null || present(others).length > 0 || !axes.includes(own.place.axis)) return null;
  return afterOf(output.shape, own.place);
}; // prettier-ignore

const matMul: Rule = (situation, output) => {
  const [a, b] = situation.node.inputs as readonly [Value, Value];
  if (a.shape.length === 1 || (b.shape.length === 1 && situation.placed[1] != null)) return null;
  return brought(situation, output, (own) => {
    const rank = own.value.shape.length;
    const summed = own === situation.placed[0] ? rank - 1 : rank - 2;
    if (own.place.axis === summed) return null;
    return b.shape.length === 1 ? own.place.axis : fromTheEnd(own, output);
  });
};

const gemm: Rule = (situation, output) => {
  const { node: { attributes }, placed } = situation; // prettier-ignore
  return brought(situation, output, (own) => {
    const k = placed.indexOf(own);
    if (k === 2) return fromTheEnd(own, output);
    const isTurned = Number(attributes[k === 0 ? 'transA' : 'transB'] ?? 0) === 1;
    return own.place.axis === (isTurned ? 1 - k : k) ? k : null;
  });
};

const einsum: Rule = (situation, output) => {
  const equation = equationOf(situation.node);
  return brought(situation, output, (own) => {
    const letter = equation.inputs[situation.placed.indexOf(own)]![own.place.axis]!;
    const axis = equation.output.indexOf(letter);
    return axis < 0 ? null : axis;
  });
};

const transpose: Rule = (situation, output) =>
  brought(situation, output, (own) => {
    const rank = own.value.shape.length;
    const perm = (situation.node.attributes['perm'] as readonly number[] | undefined) ?? [...Array(rank).keys()].reverse();
    return perm.indexOf(own.place.axis);
  }); // prettier-ignore

/** Whether an axis of that extent holds every example equally often, so that pieces of it are put together or taken apart between examples. */
const isWhole = (extent: number, { inner }: Place, examples: number): boolean =>
  extent % (inner * examples) === 0;

const concat: Rule = (situation, output) => {
  const { node, examples } = situation;
  const [axis] = joinedAxes(node, output.shape.length) as [number];
  return brought(situation, output, ({ place }) => {
    const isApart = place.axis !== axis || node.inputs.every((input) => isWhole(input!.shape[axis]!, place, examples));
    return isApart ? place.axis : null;
  });
}; // prettier-ignore

const split: Rule = (situation, output) => {
  const { node, examples } = situation;
  const axis = (Number(node.attributes['axis'] ?? 0) + output.shape.length) % output.shape.length;
  return brought(situation, output, ({ place }) => {
    const isApart = place.axis !== axis || node.outputs.every(({ shape }) => isWhole(shape[axis]!, place, examples));
    return isApart ? place.axis : null;
  });
}; // prettier-ignore

const slice: Rule = (situation, output) => {
  const { starts, steps, extents } = slicingOf(situation.node);
  return brought(situation, output, ({ value, place }) => {
    const { axis } = place;
    const isAll = extents[axis] === value.shape[axis] && steps[axis] === 1;
    const isPiece =
      steps[axis] === 1 && [starts[axis]!, extents[axis]!].every((each) => isWhole(each, place, situation.examples));
    return isAll || isPiece ? axis : null;
  });
}; // prettier-ignore

const pad: Rule = (situation, output) => {
  const pads = situation.node.attributes['pads'] as readonly number[];
  return brought(situation, output, ({ place: { axis } }) =>
    pads[axis] === 0 && pads[axis + output.shape.length] === 0 ? axis : null,
  );
};

const gather: Rule = (situation, output) => {
  const [data, indices] = situation.node.inputs as readonly [Value, Value];
  const rank = data.shape.length;
  const axis = (Number(situation.node.attributes['axis'] ?? 0) + rank) % rank;
  if (present(situation.placed).length > 1) return null;
  return brought(situation, output, (own) => {
    if (own.value === indices) return axis + own.place.axis;
    if (own.place.axis === axis) return null;
    return own.place.axis < axis ? own.place.axis : own.place.axis + indices.shape.length - 1;
  });
};

const layerNormalization: Rule = (situation, output) => {
  const [own] = situation.placed;
  const rank = own?.value.shape.length ?? 0;
  const first = (Number(situation.node.attributes['axis'] ?? -1) + rank) % rank;
  return own != null && own.place.axis < first ? onAxes(own.place.axis)(situation, output) : null;
};

const ruleOf = (rule: Rule, ...names: string[]): [string, Rule][] => names.map((name) => [name, rule]);

/** How each operator passes the examples on; others are not known to keep them apart. */
export const rules: ReadonlyMap<string, Rule> = new Map([
  ...ruleOf(broadcast, 'Add', 'Sub', 'Mul', 'Div', 'Pow', 'Max', 'Min', 'Neg', 'Abs', 'Sign', 'Exp', 'Log', 'Sqrt', 'Sin', 'Cos', 'Atan', 'Erf', 'Reciprocal'),
  ...ruleOf(broadcast, 'Mod', 'Floor', 'Ceil', 'Round', 'Equal', 'Greater', 'Less', 'Not', 'And', 'Or', 'Where', 'Cast', 'Expand', 'Tile', ...activations.keys()),
  ...ruleOf(inOrder, 'Identity', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze'),
  ...ruleOf(reduced, 'ReduceSum', 'ReduceMean', 'ReduceMax'),
  ...ruleOf(alongAxis, 'Softmax', 'LogSoftmax'),
  ...ruleOf(onAxes(0), 'Conv', 'ConvTranspose', 'GroupNormalization'),
  ...ruleOf(onAxes(0, 1), 'MaxPool', 'AveragePool', 'GlobalAveragePool', 'InstanceNormalization', 'BatchNormalization', 'BatchNormTraining'),

  ['MatMul', matMul], ['Gemm', gemm], ['Einsum', einsum], ['Transpose', transpose], ['Concat', concat], ['Split', split],
  ['Slice', slice], ['Pad', pad], ['Gather', gather], ['LayerNormalization', layerNormalization],
]); // prettier-ignore
