import { expect, it } from 'vitest';
import { inspectOnnx, readOnnx } from '../../index.js';
import type { InitializerSpec, NodeSpec } from '../../protobuf/encode.js';
import { modelOf, node, tensor } from '../../../../test/support/onnx-model.js';
import { describeWrittenOut, drawing, hidden, steps, width } from '../../../../test/support/written-out.js';

const { draw } = drawing();

const encoded = (parts: {
  readonly initializers: InitializerSpec[];
  readonly nodes: NodeSpec[];
}): Uint8Array => modelOf(['batch', steps, width], parts);

const turn = (from: string, to: string, perm: number[]) => node('Transpose', [from], [to], { perm });

const gatesOf = { LSTM: 4, GRU: 3, RNN: 1 } as const;

/** A recurrent layer behind a transposition, as PyTorch exports batch_first; y [N, T, directions, hidden]. */
function recurrent(op: keyof typeof gatesOf, attributes: NodeSpec['attributes'], directions = 1) {
  const gates = gatesOf[op] * hidden;
  const shapes = {
    'r.w': [directions, gates, width],
    'r.u': [directions, gates, hidden],
    'r.b': [directions, 2 * gates],
  };
  return {
    initializers: Object.entries(shapes).map(([name, shape]) =>
      tensor(name, shape, draw(shape.reduce((a, b) => a * b))),
    ),
    nodes: [
      turn('input', 'x', [1, 0, 2]),
      node(op, ['x', 'r.w', 'r.u', 'r.b'], ['h'], { hidden_size: hidden, ...attributes }),
      turn('h', 'y', [2, 0, 1, 3]),
    ],
  };
}

/** The same over sequences of lengths that the data choose, 1 or 2 of 3 steps, as packed ones are exported; the last states are added to y. */
function packed(op: keyof typeof gatesOf, attributes: NodeSpec['attributes'], directions = 1) {
  const { initializers, nodes } = recurrent(op, attributes, directions);
  const outputs = ['h', 'end'];
  return {
    initializers: [
      ...initializers,
      tensor('high', [], [0.8]),
      tensor('one', [], [1], 'int64'),
      tensor('time', [1], [1], 'int64'),
    ],
    nodes: [
      node('ReduceMax', ['input'], ['most'], { axes: [1, 2], keepdims: 0 }),
      node('Greater', ['most', 'high'], ['is long']),
      node('Cast', ['is long'], ['more'], { to: 7 }),
      node('Add', ['more', 'one'], ['whole']),
      node('Cast', ['whole'], ['lengths'], { to: 6 }),
      nodes[0]!,
      node(op, ['x', 'r.w', 'r.u', 'r.b', 'lengths'], outputs, { hidden_size: hidden, ...attributes }),
      turn('h', 'all', [2, 0, 1, 3]),
      turn('end', 'ends', [1, 0, 2]),
      node('Unsqueeze', ['ends', 'time'], ['last']),
      node('Add', ['all', 'last'], ['y']),
    ],
  };
}

/** The same from first states that are trained, and its last state y [directions, N, hidden] as the last of two layers has it. */
function fromStart(op: keyof typeof gatesOf) {
  const { initializers, nodes } = recurrent(op, {});
  const whole = (name: string, dims: number[], values: number[]) => tensor(name, dims, values, 'int64');
  const state = [
    tensor('h0', [1, 1, hidden], draw(hidden)),
    whole('first', [1], [0]),
    whole('one axis', [1], [1]),
    whole('width', [1], [hidden]),
    whole('last', [], [-1]),
  ];
  const second = Object.entries({ 'r2.w': [1, gatesOf[op] * hidden, hidden], 'r2.u': [1, gatesOf[op] * hidden, hidden] }); // prettier-ignore
  const first = op === 'LSTM' ? ['start', 'start'] : ['start'];
  return {
    initializers: [...initializers, ...state, ...second.map(([name, shape]) => tensor(name, shape, draw(shape.reduce((a, b) => a * b))))], // prettier-ignore
    nodes: [
      nodes[0]!,
      node('Shape', ['input'], ['extents']),
      node('Gather', ['extents', 'first'], ['n']),
      node('Concat', ['one axis', 'n', 'width'], ['ahead'], { axis: 0 }),
      node('Expand', ['h0', 'ahead'], ['start']),
      node(op, ['x', 'r.w', 'r.u', 'r.b', '', ...first], ['h', 'end'], { hidden_size: hidden }),
      node('Squeeze', ['h', 'one axis'], ['h1']),
      node(op, ['h1', 'r2.w', 'r2.u'], ['', 'end2'], { hidden_size: hidden }),
      node('Concat', ['end', 'end2'], ['ends'], { axis: 0 }),
      node('Gather', ['ends', 'last'], ['y'], { axis: 0 }),
    ],
  };
}

const cases = {
  LSTM: recurrent('LSTM', {}),
  'LSTM in both directions': recurrent('LSTM', { direction: 'bidirectional' }, 2),
  'LSTM in reverse': recurrent('LSTM', { direction: 'reverse' }),
  GRU: recurrent('GRU', {}),
  'GRU as PyTorch has it': recurrent('GRU', { linear_before_reset: 1 }),
  'GRU in both directions': recurrent('GRU', { linear_before_reset: 1, direction: 'bidirectional' }, 2),
  RNN: recurrent('RNN', {}),
  'RNN in both directions, rectified': recurrent(
    'RNN',
    { direction: 'bidirectional', activations: ['Relu', 'Relu'] },
    2,
  ),
  'LSTM from first states that are trained': fromStart('LSTM'),
  'GRU from first states that are trained': fromStart('GRU'),
  'RNN from first states that are trained': fromStart('RNN'),
  'LSTM of packed sequences': packed('LSTM', { direction: 'bidirectional' }, 2),
  'GRU of packed sequences': packed('GRU', { linear_before_reset: 1, direction: 'bidirectional' }, 2),
  'RNN of packed sequences': packed('RNN', {}),
} as const;

describeWrittenOut(Object.fromEntries(Object.entries(cases).map(([name, parts]) => [name, encoded(parts)])));

it('takes first states that PyTorch writes for packed sequences: zeros of as many examples as it exported with', () => {
  const states = (numbers: number[]) => {
    const { initializers, nodes } = recurrent('GRU', {});
    const whole = (name: string, dims: number[], values: number[]) => tensor(name, dims, values, 'int64');
    return encoded({
      initializers: [
        ...initializers,
        tensor('zeros', [1, 4, hidden], numbers),
        whole('first', [1], [0]),
        whole('one axis', [1], [1]),
        whole('width', [1], [hidden]),
      ],
      nodes: [
        nodes[0]!,
        node('Shape', ['input'], ['extents']),
        node('Gather', ['extents', 'first'], ['n']),
        node('Concat', ['one axis', 'n', 'width'], ['ahead'], { axis: 0 }),
        node('Expand', ['zeros', 'ahead'], ['start']),
        node('GRU', ['x', 'r.w', 'r.u', 'r.b', '', 'start'], ['h'], { hidden_size: hidden }),
        turn('h', 'y', [2, 0, 1, 3]),
      ],
    });
  };
  const zeros = new Array<number>(4 * hidden).fill(0);
  expect(inspectOnnx(states(zeros)).problem).toBeNull();
  expect(inspectOnnx(states(zeros.with(3, 1))).problem).toMatch(/Expand.*shape \[1, 2, 3\] for \[1, 4, 3\]/);
});

it('refuses what is not written out', () => {
  const { initializers, nodes } = recurrent('LSTM', {});
  const peeping = node('LSTM', ['x', 'r.w', 'r.u', 'r.b', '', '', '', 'p'], ['y'], {});
  const peepholes = tensor('p', [1, 3 * hidden], draw(3 * hidden));
  expect(() =>
    readOnnx(encoded({ initializers: [...initializers, peepholes], nodes: [nodes[0]!, peeping] })),
  ).toThrow(/peephole/);
  expect(() => readOnnx(encoded(recurrent('RNN', { activations: ['Affine'] })))).toThrow(/RNN.*Affine/);
});
