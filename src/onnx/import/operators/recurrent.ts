import type { Value } from '../../../graph/types.js';
import type { NodeContext, Translation, TranslationTable } from '../context.js';

/** Weight [rows, columns] of a product, and bias [rows]. */
interface Affine {
  readonly weight: Value;
  readonly bias: Value | null;
}

/** Weights of one direction of a recurrent layer. */
interface Weights {
  /** Of inputs: [gates · H, I]. */
  readonly input: Affine;
  /** Of states: [gates · H, H], or [H, H] for each gate. */
  readonly states: readonly Affine[];
}

/** States [N, H]; null: zeros, of which no products are written out. */
type State = Value | null;

/** One step: from what inputs [N, gates · H] add to the gates, and the states, to the next states, the output first. */
type Step = (c: NodeContext, inputs: Value, states: readonly State[], weights: readonly Affine[]) => Value[];

/** What a cell is: its gates, its states, and how they move. */
interface Cell {
  readonly gates: number;
  readonly states: number;
  /** Whether each gate sees states by a product of its own. */
  readonly seesApart: boolean;
  readonly activations: readonly string[];
  readonly step: Step;
}

const mul = (c: NodeContext, a: Value, b: State): State => b && c.add('Mul', [a, b]);
const sum = (c: NodeContext, a: Value, b: State): Value => (b ? c.add('Add', [a, b]) : a);

/** Parts of a tensor along an axis, the last unless said otherwise, all of the same extent. */
function parts(c: NodeContext, x: Value, count: number, axis = x.shape.length - 1): readonly Value[] {
  return c.addMany('Split', [x], { axis, split: new Array<number>(count).fill(x.shape[axis]! / count) });
}

/** x [N, H] · weightᵀ + bias; of zeros the bias. */
function product(c: NodeContext, x: State, { weight, bias }: Affine): Value | null {
  if (x === null) return bias;
  return c.add('Gemm', bias === null ? [x, weight] : [x, weight, bias], { transB: 1 });
}

/** ONNX's LSTM: gates input, output, forget, cell. */
const lstm: Cell = {
  gates: 4,
  states: 2,
  seesApart: false,
  activations: ['Sigmoid', 'Tanh', 'Tanh'],
  step: (c, inputs, [h, cell], [weights]) => {
    const gates = parts(c, sum(c, inputs, product(c, h!, weights!)), 4);
    const [input, output, forget] = gates.slice(0, 3).map((gate) => c.add('Sigmoid', [gate]));
    const added = c.add('Mul', [input!, c.add('Tanh', [gates[3]!])]);
    const kept = sum(c, added, mul(c, forget!, cell!));
    return [c.add('Mul', [output!, c.add('Tanh', [kept])]), kept];
  },
};

/** ONNX's GRU: gates update, reset, hidden. */
const gru: Cell = {
  gates: 3,
  states: 1,
  seesApart: true,
  activations: ['Sigmoid', 'Tanh'],
  step: (c, inputs, [h], weights) => {
    const [ofUpdate, ofReset, ofHidden] = parts(c, inputs, 3);
    const seen = (gate: number, state: State) => product(c, state, weights[gate]!);
    const update = c.add('Sigmoid', [sum(c, ofUpdate!, seen(0, h!))]);
    const reset = c.add('Sigmoid', [sum(c, ofReset!, seen(1, h!))]);
    const isAfter = c.attributes.int('linear_before_reset', 0) !== 0;
    const remembered = isAfter ? mul(c, reset, seen(2, h!)) : seen(2, mul(c, reset, h!));
    const candidate = c.add('Tanh', [sum(c, ofHidden!, remembered)]);
    if (h === null) return [c.add('Sub', [candidate, c.add('Mul', [update, candidate])])];
    return [sum(c, candidate, c.add('Mul', [update, c.add('Sub', [h!, candidate])]))];
  },
};

/** ONNX's RNN, a cell of one gate. */
const rnn = (activation: 'Tanh' | 'Relu'): Cell => ({
  gates: 1,
  states: 1,
  seesApart: false,
  activations: [activation],
  step: (c, inputs, [h], [weights]) => [c.add(activation, [sum(c, inputs, product(c, h!, weights!))])],
});

/** Throws GraphError for what is not written out: other activations, clipping, peepholes. */
function requirePlain(c: NodeContext, { activations, states }: Cell): void {
  const given = c.attributes.texts('activations');
  const odd = given.find(
    (name, k) => name.toLowerCase() !== activations[k % activations.length]!.toLowerCase(),
  );
  if (odd !== undefined) c.fail(`activation ${odd}`, `the usual ones, ${activations.join(', ')}`);
  for (const name of ['clip', 'input_forget', 'layout']) {
    const value = name === 'clip' ? c.attributes.float(name, 0) : c.attributes.int(name, 0);
    if (value !== 0) c.fail(`attribute ${name} ${value}`, `${name} 0`);
  }
  if (states === 2 && c.has(7)) c.fail('peephole weights', 'a cell without peepholes');
}

/** One direction's rows of a tensor [directions, …]. */
function direction(c: NodeContext, x: Value, d: number): Value {
  const own =
    x.shape[0] === 1 ? x : c.add('Slice', [x], { starts: [d], ends: [d + 1], axes: [0], steps: [1] });
  return c.add('Reshape', [own], { shape: x.shape.slice(1) });
}

function weightsOf(c: NodeContext, { gates, seesApart }: Cell, d: number): Weights {
  const [inputBias = null, stateBias = null] = c.has(3) ? parts(c, direction(c, c.value(3), d), 2) : [];
  const weight = direction(c, c.value(2), d);
  const input = { weight: direction(c, c.value(1), d), bias: inputBias };
  if (!seesApart) return { input, states: [{ weight, bias: stateBias }] };
  const biases = stateBias === null ? [] : parts(c, stateBias, gates);
  return { input, states: parts(c, weight, gates, 0).map((own, gate) => ({ weight: own, bias: biases[gate] ?? null })) }; // prettier-ignore
}

/** The first states [N, H] of a direction: as given, else zeros. */
function firstStates(c: NodeContext, cell: Cell, d: number): State[] {
  return Array.from({ length: cell.states }, (_, k) => {
    if (!c.has(5 + k) || c.known(5 + k)?.data.every((value) => Number(value) === 0)) return null;
    return direction(c, c.value(5 + k), d);
  });
}

/** Which examples [N, 1] have a step `t`, as packed sequences of different lengths say; null: all do, at each. */
function presence(c: NodeContext): ((t: number) => Value) | null {
  const [length, examples] = c.shape(0) as [number, number];
  if (!c.has(4) || c.known(4)?.data.every((own) => Number(own) >= length)) return null;
  const lengths = c.add('Reshape', [c.cast(c.value(4), 'float32')], { shape: [examples, 1] });
  return (t) => c.add('Greater', [lengths, c.scalar(t)]);
}

/** Outputs [N, H] at each time, in the order of time, and the last states of one direction. Where a sequence has no step, outputs are 0 and states stay. */
function unroll(
  c: NodeContext,
  cell: Cell,
  d: number,
  isReverse: boolean,
  presentAt: ((t: number) => Value) | null,
): { outputs: Value[]; states: Value[] } {
  const x = c.value(0);
  const [length, examples, width] = x.shape as [number, number, number];
  const weights = weightsOf(c, cell, d);
  const flat = c.add('Reshape', [x], { shape: [length * examples, width] });
  const all = product(c, flat, weights.input)!;
  const byTime = c.add('Reshape', [all], { shape: [length, examples, all.shape[1]!] });
  const steps = c
    .addMany('Split', [byTime], { axis: 0, split: new Array<number>(length).fill(1) })
    .map((step) => c.add('Squeeze', [step], { axes: [0] }));
  const outputs = new Array<Value>(length);
  const zero = c.scalar(0);
  let states = firstStates(c, cell, d);
  for (let k = 0; k < length; k++) {
    const t = isReverse ? length - 1 - k : k;
    const next = cell.step(c, steps[t]!, states, weights.states);
    const present = presentAt?.(t) ?? null;
    outputs[t] = present ? c.add('Where', [present, next[0]!, zero]) : next[0]!;
    states = present ? next.map((own, j) => c.add('Where', [present, own, states[j] ?? zero])) : next;
  }
  return { outputs, states: states as Value[] };
}

/** Puts values of one shape, at least one, side by side along a new axis. */
export function stack(c: NodeContext, values: readonly Value[], axis: number): Value {
  const widened = values.map((value) => c.add('Unsqueeze', [value], { axes: [axis] }));
  return widened.length === 1 ? widened[0]! : c.add('Concat', widened, { axis });
}

/** Steps of a recurrent layer that are written out at most. */
const mostSteps = 1024;

/** A recurrent layer written out over time: outputs [T, directions, N, H], then its last states [directions, N, H]. */
function recurrent(cell: Cell): Translation {
  return (c) => {
    requirePlain(c, cell);
    const length = c.shape(0)[0] ?? 0;
    if (length < 1 || length > mostSteps)
      c.fail(`a sequence of ${length}`, `1 to ${mostSteps} steps`, 'shorten the sequences');
    const kind = c.attributes.text('direction', 'forward');
    const reverses = kind === 'bidirectional' ? [false, true] : [kind === 'reverse'];
    const presentAt = presence(c);
    const runs = reverses.map((isReverse, d) => unroll(c, cell, d, isReverse, presentAt));
    const both = runs[0]!.outputs.map((_, t) =>
      stack(
        c,
        runs.map(({ outputs }) => outputs[t]!),
        0,
      ),
    );
    const last = Array.from({ length: cell.states }, (_, k) =>
      stack(
        c,
        runs.map(({ states }) => states[k]!),
        0,
      ),
    );
    return [stack(c, both, 0), ...last];
  };
}

/** Recurrent layers. */
export const recurrentLayers: TranslationTable = {
  LSTM: recurrent(lstm),
  GRU: recurrent(gru),
  RNN: (c) => {
    const [first = 'Tanh'] = c.attributes.texts('activations');
    return recurrent(rnn(first.toLowerCase() === 'relu' ? 'Relu' : 'Tanh'))(c);
  },
};
