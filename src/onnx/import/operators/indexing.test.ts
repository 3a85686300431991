import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { feedTensors } from '../../../engines/reference/bind.js';
import { evaluate } from '../../../engines/reference/evaluate.js';
import { GraphBuilder } from '../../../graph/builder.js';
import { mixingOf } from '../../../graph/mixing/index.js';
import { importedModel } from '../../../models/imported.js';
import { readOnnx } from '../../index.js';
import type { InitializerSpec, NodeSpec } from '../../protobuf/encode.js';
import { modelOf, node, tensor } from '../../../../test/support/onnx-model.js';
import { describeWrittenOut, drawing, steps, width } from '../../../../test/support/written-out.js';

const { behindKernel } = drawing();

const modelBehind = (nodes: NodeSpec[], initializers: InitializerSpec[] = []): Uint8Array =>
  modelOf(['batch', steps, width], { ...behindKernel(nodes, initializers), opset: 18 });

/** h [2, 3, 3], with rows or numbers of √3 · h at indices. */
const scattered = (shape: number[], indices: number[], attributes: NodeSpec['attributes'] = {}): Uint8Array =>
  modelBehind(
    [
      node('Mul', ['h', 'factor'], ['scaled']),
      node('Slice', ['scaled', 'starts', 'ends'], ['updates']),
      node('ScatterND', ['h', 'indices', 'updates'], ['y'], attributes),
    ],
    [
      tensor('factor', [], [Math.sqrt(3)]),
      tensor('starts', [shape.length], shape.map(() => 0), 'int64'),
      tensor('ends', [shape.length], shape, 'int64'),
      tensor('indices', [...shape.slice(0, 2), indices.length / (shape[0]! * shape[1]!)], indices, 'int64'),
    ],
  ); // prettier-ignore

/** Rows of h, or numbers, at tuples of indices that the data choose, of which so many are taken. */
const gathered = (tuples: number, depth: number, batch_dims: number): Uint8Array =>
  modelBehind(
    [
      node('Mul', ['h', 'three'], ['x']),
      node('Clip', ['x', 'least', 'most'], ['within']),
      node('Floor', ['within'], ['floor']),
      node('Cast', ['floor'], ['all'], { to: 7 }),
      node('Slice', ['all', 'zeros', 'ends'], ['indices']),
      node('GatherND', ['h', 'indices'], ['y'], { batch_dims }),
    ],
    [
      tensor('three', [], [3]), tensor('least', [], [-2]), tensor('most', [], [1.5]),
      tensor('zeros', [3], [0, 0, 0], 'int64'), tensor('ends', [3], [9, tuples, depth], 'int64'),
    ],
  ); // prettier-ignore

/** Numbers of h [N, 3, 3] at pairs of indices that are known, the same ones of each example. */
const gatheredKnown = modelBehind(
  [
    node('Shape', ['h'], ['shape'], { end: 1 }),
    node('Concat', ['shape', 'pairs'], ['whole'], { axis: 0 }),
    node('Expand', ['own', 'whole'], ['indices']),
    node('GatherND', ['h', 'indices'], ['y'], { batch_dims: 1 }),
  ],
  [tensor('pairs', [2], [2, 2], 'int64'), tensor('own', [1, 2, 2], [0, -1, 2, 1], 'int64')],
);

/** Places that the data choose, in [-3, 3), and numbers that are put there. */
const byData = (axis: number): Uint8Array =>
  modelBehind(
    [
      node('Mul', ['h', 'three'], ['x']),
      node('Clip', ['x', 'least', 'most'], ['within']),
      node('Floor', ['within'], ['floor']),
      node('Cast', ['floor'], ['indices'], { to: 7 }),
      node('Sin', ['h'], ['updates']),
      node('ScatterElements', ['h', 'indices', 'updates'], ['y'], { axis }),
    ],
    [tensor('three', [], [3]), tensor('least', [], [-3]), tensor('most', [], [2.5])],
  );

/** Places that are computed are looked up. */
const refused = {
  'GatherND at known places of each example': 'Gather node',
  'GatherND at places of each example that the data choose': 'Gather node',
  'GatherND at places that the data choose': 'Gather node',
  'GatherND of numbers of each example that the data choose': 'Gather node',
  'ScatterND of rows, those of others': 'Gather node',
};

describeWrittenOut({
  'ScatterND of rows, the same of each example': scattered([2, 2, 3], [0, 2, 0, 0, 1, 2, 1, 0]),
  'ScatterND of rows, those of others': scattered([2, 2, 3], [1, -1, 0, 0, 1, 2, -2, 1]),
  'ScatterElements at places that the data choose': byData(2),
  'ScatterElements along another axis': byData(1),
  'GatherND at known places of each example': gatheredKnown,
  'GatherND at places that the data choose': gathered(3, 2, 0),
  'GatherND at places of each example that the data choose': gathered(3, 1, 1),
  'GatherND of numbers of each example that the data choose': gathered(2, 2, 1),
  NonZero: modelBehind(
    [
      node('NonZero', ['mask'], ['places']),
      node('Squeeze', ['places', 'first'], ['columns']),
      node('Gather', ['h', 'columns'], ['y'], { axis: 2 }),
    ],
    [tensor('mask', [3], [1, 0, 2], 'int64'), tensor('first', [1], [0], 'int64')],
  ),
}, refused); // prettier-ignore

describe('numbers that are put in the place of others', () => {
  const read = (bytes: Uint8Array) => () => readOnnx(bytes);

  it('are refused where they are added, or where indices are outside or depend on the data', () => {
    expect(read(scattered([2, 2, 3], [0, 2, 0, 0, 1, 2, 1, 0], { reduction: 'add' }))).toThrow(
      /reduction add/,
    );
    expect(read(scattered([2, 2, 3], [0, 3, 0, 0, 1, 2, 1, 0]))).toThrow(/ScatterND.*index 3 of 3/);
    const nodes = [
      node('Cast', ['h'], ['indices'], { to: 7 }),
      node('ScatterND', ['h', 'indices', 'h'], ['y']),
    ];
    expect(read(modelBehind(nodes))).toThrow(/ScatterND.*indices that depend on the data/);
  });

  it.each([
    ['ScatterElements', [0, 3, 1], 'index 3 of 3'],
    ['ScatterElements', [0, -4, 1], 'index -4 of 3'],
    ['GatherElements', [0, 3, 1], 'index 3 of 3'],
    ['GatherElements', [-4, 0, 1], 'index -4 of 3'],
    ['Gather', [2, 1, 5], 'index 5 of 3'],
  ])('are not looked up outside: %s at %j', (op, indices, found) => {
    const atAll = [
      node('Shape', ['h'], ['shape']),
      node('Expand', ['some', 'shape'], ['indices']),
      node(op, op === 'ScatterElements' ? ['h', 'indices', 'h'] : ['h', 'indices'], ['y'], { axis: 2 }),
    ];
    const plain = [node(op, ['h', 'some'], ['y'], { axis: 2 })];
    const nodes = op === 'Gather' ? plain : atAll;
    const model = modelBehind(nodes, [tensor('some', [3], indices, 'int64')]);
    expect(read(model)).toThrow(new RegExp(`${op}/y.*${found}`));
  });

  it('are not looked up beyond the data along other axes', () => {
    const model = modelBehind(
      [
        node('Concat', ['h', 'h'], ['tall'], { axis: 1 }),
        node('Cast', ['tall'], ['indices'], { to: 7 }),
        node('GatherElements', ['h', 'indices'], ['y'], { axis: 2 }),
      ],
      [],
    );
    expect(read(model)).toThrow(/GatherElements\/y.*indices \[2, 6, 3\] of data \[2, 3, 3\]/);
  });

  it.each([[3], [-4]])('are refused by engines where the data choose the place %d of 3', (place) => {
    const nodes = [
      node('Cast', ['input'], ['indices'], { to: 7 }),
      node('ScatterElements', ['input', 'indices', 'input'], ['y'], { axis: 1 }),
    ];
    const builder = new GraphBuilder('graph');
    const x = builder.input('x', 'float32', [1, 3]);
    const graph = builder.build([readOnnx(modelOf(['batch', 3], { nodes })).addTo(builder, x)]);
    const outputOf = (...numbers: number[]) =>
      evaluate(graph, new Map(feedTensors(graph, { x: Float32Array.from(numbers) })))[0]!.data;
    expect([...outputOf(2, 0, -2)]).toEqual([0, -2, 2]);
    expect(() => outputOf(2, 0, place)).toThrow(/Gather node ScatterElements[^]*an index in \[0, 2\]/);
  });

  it('leave examples apart as PyTorch exports assignments, which the graph shows', () => {
    const file = join(import.meta.dirname, '../../../../test/golden/pytorch/assigned.onnx');
    const transform = { dtype: 'float32', divisor: 1, mean: [], std: [] } as const;
    const model = importedModel(readOnnx(readFileSync(file)));
    expect(mixingOf(model.build({ examples: 13, training: false, transform }), 13)).toBeNull();
  });
});
