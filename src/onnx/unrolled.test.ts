import { expect, it } from 'vitest';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { encodeModel, type InitializerSpec, type ModelSpec, type NodeSpec } from './protobuf/encode.js';
import { Attribute_Type, AttributeSchema, ModelSchema } from './protobuf/onnx_pb.js';
import { onnxruntimeEngine } from '../engines/onnxruntime/index.js';
import { referenceEngine } from '../engines/reference/index.js';
import { GraphBuilder } from '../graph/builder.js';
import { readOnnx } from './index.js';
import { modelOf, node, tensor } from '../../test/support/onnx-model.js';
import {
  describeWrittenOut,
  drawing,
  examples,
  hidden,
  steps,
  width,
} from '../../test/support/written-out.js';

const { behindKernel, draw } = drawing();

/** Grids [N, 2, 2, 2] by the maps [N, 2, 3] that the first rows of h are. */
function affine(attributes: NodeSpec['attributes']) {
  const parts = behindKernel(
    [
      node('Slice', ['h', 'zero', 'two rows', 'one axis'], ['maps']),
      node('AffineGrid', ['maps', 'size'], ['y'], attributes),
    ],
    [
      tensor('zero', [1], [0], 'int64'),
      tensor('two rows', [1], [2], 'int64'),
      tensor('one axis', [1], [1], 'int64'),
      tensor('size', [4], [examples, 1, 2, 2], 'int64'),
    ],
  );
  return { ...parts, opset: 20 };
}

/** Images [N, 1, 3, 3] sampled at a grid [N, 3, 2, 2], both of the data and of what is trained; some of it lies outside. */
function sampled(attributes: NodeSpec['attributes']) {
  return behindKernel(
    [
      node('Unsqueeze', ['h', 'one axis'], ['image']),
      node('MatMul', ['input', 'g.weight'], ['flat']),
      node('Reshape', ['flat', 'places'], ['grid']),
      node('GridSample', ['image', 'grid'], ['y'], attributes),
    ],
    [
      tensor('g.weight', [width, 4], draw(width * 4).map((number) => 2 * number)), // prettier-ignore
      tensor('one axis', [1], [1], 'int64'),
      tensor('places', [4], [0, steps, 2, 2], 'int64'),
    ],
  );
}

const weightOfRounds = tensor('r.weight', [hidden, hidden], draw(hidden * hidden));

/** What each round of a loop does: h ← tanh(h · r.weight), which it collects times its number; `condition` makes `goes on`. */
function bodyOf(condition: NodeSpec[], initializers: InitializerSpec[] = []): ModelSpec {
  return {
    name: 'body',
    opset: 17,
    inputs: [
      { name: 'round', dtype: 'int64', shape: [] },
      { name: 'held', dtype: 'bool', shape: [] },
      { name: 'state', dtype: 'float32', shape: ['n', steps, hidden] },
    ],
    outputs: [
      { name: 'goes on', dtype: 'bool', shape: [] },
      { name: 'next', dtype: 'float32', shape: ['n', steps, hidden] },
      { name: 'counted', dtype: 'float32', shape: ['n', steps, hidden] },
    ],
    initializers,
    nodes: [
      ...condition,
      node('MatMul', ['state', 'r.weight'], ['z']),
      node('Tanh', ['z'], ['next']),
      node('Cast', ['round'], ['number'], { to: 1 }),
      node('Mul', ['next', 'number'], ['counted']),
    ],
  };
}

const unconditional = [node('Identity', ['held'], ['goes on'])];

/** A loop of so many rounds, of which what it carried last and all that it collected make y. */
function looped(rounds: number, body: ModelSpec, outside: InitializerSpec[] = [weightOfRounds]) {
  const parts = behindKernel(
    [
      node('Loop', ['rounds', '', 'h'], ['last', 'all']),
      node('ReduceSum', ['all', 'first axis'], ['sum'], { keepdims: 0 }),
      node('Add', ['last', 'sum'], ['y']),
    ],
    [
      ...outside,
      tensor('rounds', [], [rounds], 'int64'),
      tensor('first axis', [1], [0], 'int64'),
      tensor('limit', [], [1], 'int64'),
    ],
  );
  return { ...parts, body };
}

/** The model, with the body that its loop is to have. */
function encoded({ body, ...parts }: Partial<ModelSpec> & { readonly body?: ModelSpec }): Uint8Array {
  const bytes = modelOf(['batch', steps, width], parts);
  if (body === undefined) return bytes;
  const model = fromBinary(ModelSchema, bytes);
  const g = fromBinary(ModelSchema, encodeModel(body)).graph!;
  const loop = model.graph!.node.find(({ opType }) => opType === 'Loop')!;
  loop.attribute.push(create(AttributeSchema, { name: 'body', type: Attribute_Type.GRAPH, g }));
  return toBinary(ModelSchema, model);
}

const untilSecond = [node('Less', ['round', 'limit'], ['goes on'])];

const two = tensor('two', [1], [2], 'int64');
const minusOne = tensor('axis', [1], [-1], 'int64');
const one = tensor('one', [], [1], 'int64');

/** h times what an operator makes of whole numbers of its own. */
function ofWhole(made: NodeSpec, initializers: InitializerSpec[] = []) {
  return behindKernel(
    [
      node('Mul', ['h', 'many'], ['wide']),
      node('Cast', ['wide'], ['whole'], { to: 7 }),
      made,
      node('Cast', ['made'], ['factor'], { to: 1 }),
      node('Mul', ['factor', 'h'], ['y']),
    ],
    [tensor('many', [], [20]), ...initializers],
  );
}

const cases = {
  'CumSum of whole numbers': ofWhole(node('CumSum', ['whole', 'one'], ['made'], { reverse: 1 }), [one]),
  'Trilu of whole numbers': ofWhole(node('Trilu', ['whole'], ['made'])),
  'ReduceMax of whole numbers': ofWhole(node('ReduceMax', ['whole'], ['made'], { axes: [1] })),
  ReduceProd: behindKernel([node('ReduceProd', ['h'], ['y'], { axes: [1], keepdims: 0 })]),
  TopK: behindKernel([node('TopK', ['h', 'two'], ['y', 'places'], { axis: -1 })], [two]),
  'the smallest by TopK': behindKernel(
    [node('TopK', ['h', 'two'], ['y', 'places'], { axis: 1, largest: 0 })],
    [two],
  ),
  'the places of TopK': behindKernel(
    [
      node('TopK', ['h', 'two'], ['v', 'places'], {}),
      node('Cast', ['places'], ['p'], { to: 1 }),
      node('Mul', ['p', 'v'], ['y']),
    ],
    [two],
  ),
  'TopK, of which most are masked': behindKernel(
    [
      node('Greater', ['h', 'least'], ['kept']),
      node('Where', ['kept', 'h', 'masked'], ['x']),
      node('TopK', ['x', 'all'], ['sorted', 'places'], { axis: -1 }),
      node('Exp', ['sorted'], ['e']),
      node('Cast', ['places'], ['p'], { to: 1 }),
      node('Add', ['p', 'e'], ['y']),
    ],
    [tensor('least', [], [0.2]), tensor('masked', [], [-Infinity]), tensor('all', [1], [hidden], 'int64')],
  ),
  'TopK of whole numbers, and their order turned back': behindKernel(
    [
      node('Mul', ['h', 'many'], ['wide']),
      node('Cast', ['wide'], ['whole'], { to: 7 }),
      node('TopK', ['whole', 'three'], ['sorted', 'places'], { axis: -1 }),
      node('ScatterElements', ['sorted', 'places', 'places'], ['back'], { axis: -1 }),
      node('Cast', ['back'], ['factor'], { to: 1 }),
      node('Mul', ['factor', 'h'], ['y']),
    ],
    [tensor('many', [], [20]), tensor('three', [1], [3], 'int64')],
  ),
  ArgMax: behindKernel(
    [
      node('ArgMax', ['h'], ['at'], { axis: -1, keepdims: 1 }),
      node('Cast', ['at'], ['a'], { to: 1 }),
      node('Mul', ['a', 'h'], ['y']),
    ],
    [minusOne],
  ),
  'GridSample with zeros outside': sampled({ mode: 'bilinear', padding_mode: 'zeros' }),
  'GridSample with zeros outside, aligned': sampled({ align_corners: 1 }),
  'GridSample with the border outside': sampled({ padding_mode: 'border' }),
  'GridSample with the border outside, aligned': sampled({ padding_mode: 'border', align_corners: 1 }),
  'GridSample reflected': sampled({ padding_mode: 'reflection' }),
  'GridSample reflected, aligned': sampled({ padding_mode: 'reflection', align_corners: 1 }),
  'GridSample of the nearest': sampled({ mode: 'nearest' }),
  'GridSample of the nearest, reflected': sampled({ mode: 'nearest', padding_mode: 'reflection' }),
  'GridSample of the nearest, border, aligned': sampled({
    mode: 'nearest',
    padding_mode: 'border',
    align_corners: 1,
  }),
  AffineGrid: affine({}),
  'AffineGrid, aligned': affine({ align_corners: 1 }),
  Loop: looped(4, bodyOf(unconditional)),
  'Loop that ends before its count': looped(9, bodyOf(untilSecond)),
  'Loop with a weight of its own': looped(3, bodyOf(unconditional, [weightOfRounds]), []),
  Trilu: behindKernel([node('Trilu', ['h', 'one'], ['y'], { upper: 0 })], [one]),
} as const;

/** Places that the network computes are looked up. */
const refused = Object.keys(cases).filter((name) => name.startsWith('GridSample'));
describeWrittenOut(
  Object.fromEntries(Object.entries(cases).map(([name, parts]) => [name, encoded(parts)])),
  Object.fromEntries(refused.map((name) => [name, 'Gather node'])),
);

it('says that a choice counts as constant', () => {
  expect(readOnnx(modelOf(['batch', steps, width], cases.TopK)).warnings.join()).toMatch(
    /TopK selects counts as constant/,
  );
});

it('selects NaN by TopK where a number is NaN, so that no loss stays finite', async () => {
  const nodes = [node('TopK', ['h', 'two'], ['y', 'places'], { axis: -1 })];
  const builder = new GraphBuilder('graph');
  const input = builder.input('x', 'float32', [1, steps, width]);
  const output = readOnnx(modelOf(['batch', steps, width], behindKernel(nodes, [two]))).addTo(builder, input);
  const graph = builder.build([builder.apply('ReduceSum', [output], { keepdims: 0 })]);
  for (const engine of [referenceEngine, onnxruntimeEngine('cpu')]) {
    const program = await engine.compile(graph);
    program.load(new Float64Array(width * hidden).fill(NaN));
    expect(await program.run({ x: new Float32Array(steps * width).fill(1) })).toBeNaN();
    await program.dispose();
  }
});

it('says how sequences that are sorted within a chunk can be measured', () => {
  const nodes = [
    node('ReduceMax', ['h'], ['most'], { axes: [1, 2], keepdims: 0 }),
    node('Shape', ['most'], ['all']),
    node('TopK', ['most', 'all'], ['sorted', 'places'], { axis: 0 }),
    node('Gather', ['h', 'places'], ['y'], { axis: 0 }),
  ];
  const model = readOnnx(modelOf(['batch', steps, width], behindKernel(nodes)));
  const builder = new GraphBuilder('graph');
  const input = builder.input('x', 'float32', [65, steps, width]);
  expect(() => model.addTo(builder, input)).toThrow(/TopK[^]*--chunk 64[^]*enforce_sorted=True/);
});

it('refuses loops whose rounds depend on the data, go on for too long, or are none where they collect', () => {
  const byData = [
    node('ReduceMax', ['state'], ['most'], { keepdims: 0 }),
    node('Less', ['most', 'high'], ['goes on']),
  ];
  const high = tensor('high', [], [7]);
  const read = (parts: Parameters<typeof encoded>[0]) => readOnnx(encoded(parts));
  expect(() => read(looped(3, bodyOf(byData), [weightOfRounds, high]))).toThrow(
    /Loop.*a condition that depends on the data/,
  );
  expect(() => read(looped(5000, bodyOf(unconditional)))).toThrow(/Loop.*more than 1024 rounds/);
  expect(() => read(looped(0, bodyOf(unconditional)))).toThrow(/Loop.*no rounds/);
});

it('refuses samples that are cubic, or of volumes', () => {
  const read = (attributes: NodeSpec['attributes']) => readOnnx(encoded(sampled(attributes)));
  expect(() => read({ mode: 'bicubic' })).toThrow(/GridSample.*mode bicubic/);
  expect(() => read({ padding_mode: 'wrap' })).toThrow(/GridSample.*padding_mode wrap/);
});
