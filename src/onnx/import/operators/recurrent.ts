import type { Value } from '../../../graph/types.js';
import type { NodeContext, Translation, TranslationTable } from '../context.js';

/** Weights of one direction of a recurrent layer: of inputs [gates · H, I] and of states [gates · H, H], biases [gates · H] of either. */
interface Weights {
  readonly input: Value;
  readonly state: Value;
  readonly inputBias: Value | null;
  readonly stateBias: Value | null;
}

/** One step: from what inputs [N, gates · H] add to the gates, and the states [N, H], to the next states, the output first. */
type Step = (c: NodeContext, inputs: Value, states: readonly Value[], weights: Weights) => Value[];

/** What a cell is: its gates, its states, and how they move. */
interface Cell {
  readonly gates: number;
  readonly states: number;
  readonly activations: readonly string[];
  readonly step: Step;
}

const mul = (c: NodeContext, a: Value, b: Value): Value => c.add('Mul', [a, b]);
const sum = (c: NodeContext, a: Value, b: Value): Value => c.add('Add', [a, b]);

/** Parts of a tensor along its axis 1, or of a vector, all of the same extent. */
function parts(c: NodeContext, x: Value, count: number): readonly Value[] {
  const axis = x.shape.length - 1;
  return c.addMany('Split', [x], { axis, split: new Array<number>(count).fill(x.shape[axis]! / count) });
}

/** states [N, H] · weightᵀ + bias. */
function product(c: NodeContext, x: Value, weight: Value, bias: Value | null): Value {
  return c.add('Gemm', bias === null ? [x, weight] : [x, weight, bias], { transB: 1 });
}

/** ONNX's LSTM: gates input, output, forget, cell. */
const lstm: Cell = {
  gates: 4,
  states: 2,
  activations: ['Sigmoid', 'Tanh', 'Tanh'],
  step: (c, inputs, [h, cell], weights) => {
    const gates = parts(c, sum(c, inputs, product(c, h!, weights.state, weights.stateBias)), 4);
    const [input, output, forget] = gates.slice(0, 3).map((gate) => c.add('Sigmoid', [gate]));
    const kept = sum(c, mul(c, forget!, cell!), mul(c, input!, c.add('Tanh', [gates[3]!])));
    return [mul(c, output!, c.add('Tanh', [kept])), kept];
  },
};

/** ONNX's GRU: gates update, reset, hidden. */
const gru: Cell = {
  gates: 3,
  states: 1,
  activations: ['Sigmoid', 'Tanh'],
  step: (c, inputs, [h], weights) => {
    const [ofUpdate, ofReset, ofHidden] = parts(c, inputs, 3);
    const rows = c.addMany('Split', [weights.state], {
      axis: 0,
      split: new Array<number>(3).fill(h!.shape[1]!),
    });
    const biases = weights.stateBias === null ? [null, null, null] : parts(c, weights.stateBias, 3);
    const seen = (gate: number, state: Value): Value => product(c, state, rows[gate]!, biases[gate]!);
    const update = c.add('Sigmoid', [sum(c, ofUpdate!, seen(0, h!))]);
    const reset = c.add('Sigmoid', [sum(c, ofReset!, seen(1, h!))]);
    const isAfter = c.attributes.int('linear_before_reset', 0) !== 0;
    const remembered = isAfter ? mul(c, reset, seen(2, h!)) : seen(2, mul(c, reset, h!));
    const candidate = c.add('Tanh', [sum(c, ofHidden!, remembered)]);
    const step = mul(c, update, c.add('Sub', [h!, candidate]));
    return [sum(c, candidate, step)];
  },
};

/** ONNX's RNN, a cell of one gate. */
const rnn = (activation: 'Tanh' | 'Relu'): Cell => ({
  gates: 1,
  states: 1,
  activations: [activation],
  step: (c, inputs, [h], { state, stateBias }) => [
    c.add(activation, [sum(c, inputs, product(c, h!, state, stateBias))]),
  ],
});

/** Throws GraphError for what is not written out: other activations, clipping, peepholes, sequences of different lengths. */
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
  if (c.has(4))
    c.fail(
      'sequence_lens',
      'sequences of one length',
      'mask what is behind the end of a sequence in the loss',
    );
  if (states === 2 && c.has(7)) c.fail('peephole weights', 'a cell without peepholes');
}

/** One direction's rows of a tensor [directions, …]. */
function direction(c: NodeContext, x: Value, d: number): Value {
  const own =
    x.shape[0] === 1 ? x : c.add('Slice', [x], { starts: [d], ends: [d + 1], axes: [0], steps: [1] });
  return c.add('Reshape', [own], { shape: x.shape.slice(1) });
}

function weightsOf(c: NodeContext, d: number): Weights {
  const biases = c.has(3) ? parts(c, direction(c, c.value(3), d), 2) : null;
  return {
    input: direction(c, c.value(1), d),
    state: direction(c, c.value(2), d),
    inputBias: biases?.[0] ?? null,
    stateBias: biases?.[1] ?? null,
  };
}

/** The first states [N, H] of a direction: as given, else 0. */
function firstStates(c: NodeContext, cell: Cell, d: number, shape: readonly number[]): Value[] {
  return Array.from({ length: cell.states }, (_, k) => {
    if (c.has(5 + k)) return direction(c, c.value(5 + k), d);
    return c.add('Expand', [c.scalar(0)], { shape: [...shape] });
  });
}

/** Outputs [N, H] at each time, in the order of time, and the last states of one direction. */
function unroll(
  c: NodeContext,
  cell: Cell,
  d: number,
  isReverse: boolean,
): { outputs: Value[]; states: Value[] } {
  const x = c.value(0);
  const [length, examples, width] = x.shape as [number, number, number];
  const weights = weightsOf(c, d);
  const flat = c.add('Reshape', [x], { shape: [length * examples, width] });
  const all = product(c, flat, weights.input, weights.inputBias);
  const steps = c.addMany('Split', [all], { axis: 0, split: new Array<number>(length).fill(examples) });
  let states = firstStates(c, cell, d, [examples, weights.state.shape[1]!]);
  const outputs = new Array<Value>(length);
  for (let k = 0; k < length; k++) {
    const t = isReverse ? length - 1 - k : k;
    states = cell.step(c, steps[t]!, states, weights);
    outputs[t] = states[0]!;
  }
  return { outputs, states };
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
    const runs = reverses.map((isReverse, d) => unroll(c, cell, d, isReverse));
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
