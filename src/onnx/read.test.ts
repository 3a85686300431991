import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { modelOf, node, ramp, tensor } from '../../test/support/onnx-model.js';
import { feedTensors, parameterTensors } from '../engines/reference/bind.js';
import { evaluate } from '../engines/reference/evaluate.js';
import { GraphBuilder } from '../graph/builder.js';
import type { Graph } from '../graph/types.js';
import { fileWeights, inspectOnnx, openOnnx, readOnnx, type OnnxModel, type ReadOptions } from './index.js';
import { ModelSchema, TensorSchema } from './protobuf/onnx_pb.js';
import { tensorBytes } from './protobuf/dtypes.js';

/** The model with one more tensor, whose fields are given as a file holds them. */
function withTensor(bytes: Uint8Array, fields: MessageInitShape<typeof TensorSchema>): Uint8Array {
  const model = fromBinary(ModelSchema, bytes);
  model.graph!.initializer.push(create(TensorSchema, fields));
  return toBinary(ModelSchema, model);
}

function graphOf(model: OnnxModel, examples: number): Graph {
  const builder = new GraphBuilder('graph');
  const x = builder.input('x', model.inputDType, [examples, ...model.inputShape]);
  return builder.build([model.addTo(builder, x)]);
}

/** Output of a model with its own weights. */
function outputOf(bytes: Uint8Array, x: number[], examples: number, options?: ReadOptions): number[] {
  const graph = graphOf(readOnnx(bytes, options), examples);
  const weights = graph.parameters.flatMap(({ initializer }) =>
    initializer.kind === 'values' ? [...initializer.data] : [],
  );
  const bound = [
    ...parameterTensors(graph, Float64Array.from(weights)),
    ...feedTensors(graph, { x: Float32Array.from(x) }),
  ];
  return [...evaluate(graph, new Map(bound))[0]!.data];
}

function trainedOf(bytes: Uint8Array): (readonly [string, string, number | null])[] {
  return graphOf(readOnnx(bytes), 2).parameters.map(({ value, layer, neuronAxis }) => [
    value.name,
    layer,
    neuronAxis,
  ]);
}

describe('parameters', () => {
  it('are weights, biases, scales and embeddings, with the axis of their neurons', () => {
    const bytes = modelOf(['batch', 3, 4, 4], {
      initializers: [
        ramp('conv.weight', [6, 3, 3, 3]), ramp('conv.bias', [6]),
        ramp('bn.weight', [6]), ramp('bn.bias', [6]), ramp('bn.running_mean', [6]), ramp('bn.running_var', [6]),
        tensor('axes', [2], [2, 3], 'int64'), tensor('eight', [], [8]),
        ramp('fc.weight', [5, 6]), ramp('fc.bias', [5]), ramp('head.weight', [5, 2]), ramp('head.bias', [2]),
      ], // prettier-ignore
      nodes: [
        node('Conv', ['input', 'conv.weight', 'conv.bias'], ['c']),
        node('BatchNormalization', ['c', 'bn.weight', 'bn.bias', 'bn.running_mean', 'bn.running_var'], ['n']),
        node('ReduceMean', ['n'], ['m'], { axes: [2, 3], keepdims: 0 }),
        node('Div', ['m', 'eight'], ['d']),
        node('Transpose', ['fc.weight'], ['t'], { perm: [1, 0] }),
        node('MatMul', ['d', 't'], ['p']),
        node('Add', ['fc.bias', 'p'], ['h']),
        node('Gemm', ['h', 'head.weight', 'head.bias'], ['y']),
      ],
    });
    expect(trainedOf(bytes)).toEqual([
      ['conv.weight', 'conv', 0],
      ['conv.bias', 'conv', 0],
      ['bn.weight', 'bn', 0],
      ['bn.bias', 'bn', 0],
      ['fc.weight', 'fc', 0],
      ['fc.bias', 'fc', 0],
      ['head.weight', 'head', 1],
      ['head.bias', 'head', 0],
    ]);
  });

  it('may be chosen by the caller', () => {
    const bytes = modelOf(['batch', 2], {
      initializers: [ramp('a.weight', [2, 2]), ramp('b.weight', [2, 2])],
      nodes: [node('MatMul', ['input', 'a.weight'], ['h']), node('MatMul', ['h', 'b.weight'], ['y'])],
    });
    const model = readOnnx(bytes, { trained: (name, guess) => guess && name.startsWith('b') });
    expect(graphOf(model, 2).parameters.map(({ value }) => value.name)).toEqual(['b.weight']);
  });

  it('without a name of their own belong to the layer of the node that reads them', () => {
    const bytes = modelOf(['batch', 2], {
      initializers: [ramp('onnx::MatMul_7', [2, 2])],
      nodes: [{ ...node('MatMul', ['input', 'onnx::MatMul_7'], ['y']), name: '/block/query/MatMul' }],
    });
    expect(trainedOf(bytes)).toEqual([['onnx::MatMul_7', 'block.query', 1]]);
    expect(inspectOnnx(bytes).warnings.join()).toMatch(/do_constant_folding=False/);
  });

  it('are not the buffers of spectral normalisation and of pruning, whatever they are called', () => {
    const names = ['l.weight_orig', 'l.weight_mask', 'l.weight_u', 'l.weight_v', 'n.weight_g', 'n.weight_v'];
    const shapes = [[2, 2], [2, 2], [2], [2], [2], [2]]; // prettier-ignore
    const bytes = modelOf(['batch', 2], {
      initializers: names.map((name, k) => ramp(name, shapes[k]!)),
      nodes: names.map((name, k) => node('Mul', [k === 0 ? 'input' : `y${k - 1}`, name], [`y${k}`])),
    });
    const { tensors } = fileWeights(openOnnx(bytes, {}));
    expect(tensors.map(({ verdict, state }) => [verdict, state])).toEqual([
      ['trained', null],
      ['unlikely', 'masks of pruning'],
      ['unlikely', 'vectors of spectral normalisation'],
      ['unlikely', 'vectors of spectral normalisation'],
      ['trained', null],
      ['trained', null],
    ]);
  });

  it('that PyTorch stored once because they were equal come apart again, unless they are tied', () => {
    const bytes = modelOf(['batch', 2], {
      initializers: [tensor('n1.bias', [2], [0, 0]), ramp('embed.weight', [2, 2]), ramp('fc.weight', [2, 2])],
      nodes: [
        node('Identity', ['n1.bias'], ['n2.bias']),
        node('Identity', ['embed.weight'], ['decoder.weight']),
        node('Add', ['input', 'n1.bias'], ['a']),
        node('MatMul', ['a', 'embed.weight'], ['b']),
        node('Add', ['b', 'n2.bias'], ['c']),
        node('MatMul', ['c', 'fc.weight'], ['d']),
        node('MatMul', ['d', 'decoder.weight'], ['y']),
      ],
    });
    const names = trainedOf(bytes).map(([name]) => name);
    expect(names).toEqual(['n1.bias', 'embed.weight', 'n2.bias', 'fc.weight']);
  });
});

describe('the batch axis', () => {
  it.each([['batch'], [1], [4]])('exported as %s takes any number of examples', (extent) => {
    const bytes = modelOf([extent, 2, 2], {
      initializers: [
        tensor('shape', [2], [typeof extent === 'number' ? extent : 0, -1], 'int64'),
        ramp('w', [4, 1]),
      ],
      nodes: [node('Reshape', ['input', 'shape'], ['flat']), node('MatMul', ['flat', 'w'], ['y'])],
    });
    expect(outputOf(bytes, [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1], 3)).toEqual([0, 0.25, 0.75]);
  });

  it('may be computed with', () => {
    const bytes = modelOf(['batch', 2, 3], {
      initializers: [
        tensor('zero', [], [0], 'int64'),
        tensor('axis', [1], [0], 'int64'),
        tensor('rest', [1], [-1], 'int64'),
      ],
      nodes: [
        node('Shape', ['input'], ['shape']),
        node('Gather', ['shape', 'zero'], ['n'], { axis: 0 }),
        node('Unsqueeze', ['n', 'axis'], ['row']),
        node('Concat', ['row', 'rest'], ['target'], { axis: 0 }),
        node('Reshape', ['input', 'target'], ['y']),
      ],
    });
    expect(readOnnx(bytes)).toMatchObject({ inputShape: [2, 3], outputShape: [6] });
    expect(graphOf(readOnnx(bytes), 7).nodes.map(({ op }) => op)).toEqual(['Reshape']);
  });

  it('is missed where the output has another', () => {
    const bytes = modelOf(['batch', 2, 3], {
      nodes: [node('Transpose', ['input'], ['y'], { perm: [1, 0, 2] })],
    });
    expect(() => readOnnx(bytes)).toThrow(/output y of shape \[2, /);
  });
});

describe('older operator sets', () => {
  const x = [1, 2, 3, 4, 5, 6];
  it('run softmax over all axes from the given one on', () => {
    const flat = [node('Softmax', ['input'], ['s'], { axis: 1 }), node('Flatten', ['s'], ['y'])];
    const old = outputOf(modelOf(['batch', 2, 3], { opset: 11, nodes: flat }), x, 1);
    expect(old.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    const recent = outputOf(modelOf(['batch', 2, 3], { opset: 13, nodes: flat }), x, 1);
    expect(recent.reduce((a, b) => a + b)).toBeCloseTo(3, 12);
  });

  it('take axes as attributes that newer ones take as inputs', () => {
    const old = modelOf(['batch', 6], {
      opset: 12,
      nodes: [node('ReduceSum', ['input'], ['y'], { axes: [1] })],
    });
    const axes = [tensor('axes', [1], [-1], 'int64')];
    const nodes = [node('ReduceSum', ['input', 'axes'], ['y'])];
    expect(outputOf(old, x, 1)).toEqual([21]);
    expect(outputOf(modelOf(['batch', 6], { initializers: axes, nodes }), x, 1)).toEqual([21]);
  });

  const affine = [ramp('s', [2]), ramp('b', [2]), ramp('m', [2]), ramp('v', [2])];
  const norm = (outputs: string[], attributes = {}) => ({
    initializers: affine,
    nodes: [node('BatchNormalization', ['input', 's', 'b', 'm', 'v'], outputs, attributes)],
  });
  it.each([
    ['opset 12 with five outputs', { opset: 12, ...norm(['y', 'a', 'c', 'd', 'e']) }, 'BatchNormTraining'],
    ['opset 12 with one output', { opset: 12, ...norm(['y']) }, 'BatchNormalization'],
    [
      'opset 15 in training mode',
      { opset: 15, ...norm(['y', 'a', 'c'], { training_mode: 1 }) },
      'BatchNormTraining',
    ],
    [
      'opset 15 in training mode with one output',
      { opset: 15, ...norm(['y'], { training_mode: 1 }) },
      'BatchNormTraining',
    ],
    ['opset 15', { opset: 15, ...norm(['y']) }, 'BatchNormalization'],
  ])('say in their own way which statistics are meant: %s', (_, parts, expected) => {
    const model = readOnnx(modelOf(['batch', 2], parts));
    const isStored = expected === 'BatchNormalization';
    const { tensors } = fileWeights(openOnnx(modelOf(['batch', 2], parts), {}));
    expect(tensors.filter(({ statistic }) => statistic).map(({ name }) => name)).toEqual(
      isStored ? ['m', 'v'] : [],
    );
    expect(model.warnings.join()).toMatch(isStored ? /stored statistics/ : /^$/);
    const graph = graphOf(model, 3);
    expect(graph.nodes.map(({ op }) => op)).toEqual([expected]);
    expect(graph.parameters.map(({ value }) => value.name)).toEqual(['s', 'b']);
  });
});

describe('tensors', () => {
  const base = modelOf(['batch', 2], {
    nodes: [node('MatMul', ['input', 'w'], ['y'])],
    initializers: [ramp('v', [1])],
  });
  const read = (fields: MessageInitShape<typeof TensorSchema>, options?: ReadOptions) =>
    outputOf(withTensor(base, { name: 'w', dims: [2n, 1n], ...fields }), [1, 10], 1, options);

  it.each([
    ['floats one by one', { dataType: 1, floatData: [0.5, -2] }],
    ['doubles', { dataType: 11, doubleData: [0.5, -2] }],
    ['half precision', { dataType: 10, rawData: Uint8Array.of(0, 0x38, 0, 0xc0) }],
    ['half precision one by one', { dataType: 10, int32Data: [0x3800, 0xc000] }],
    ['bfloat16', { dataType: 16, rawData: Uint8Array.of(0, 0x3f, 0, 0xc0) }],
  ])('are read from %s', (_, fields) => {
    expect(read(fields)).toEqual([0.5 - 20]);
  });

  it('are read from a file beside the model', () => {
    const externalData = [
      { key: 'location', value: 'weights.bin' },
      { key: 'offset', value: '4' },
      { key: 'length', value: '8' },
    ];
    const file = tensorBytes('float32', [99, 0.5, -2]);
    const fields = { dataType: 1, dataLocation: 1, externalData };
    expect(read(fields, { externalData: () => file })).toEqual([0.5 - 20]);
    expect(() => read(fields)).toThrow(/weights\.bin/);
    expect(() => read(fields, { externalData: () => file.subarray(0, 8) })).toThrow(
      /bytes 4 to 12 of weights\.bin/,
    );
  });
});

it.each([1, 2, 3])('keeps the axis of the examples where a Squeeze names none, of %d', (examples) => {
  const bytes = modelOf(['batch', 1, 4], {
    initializers: [ramp('fc.weight', [4, 3]), ramp('head.weight', [3, 1])],
    nodes: [
      node('MatMul', ['input', 'fc.weight'], ['h']),
      node('Squeeze', ['h'], ['s']),
      node('MatMul', ['s', 'head.weight'], ['r']),
      node('Squeeze', ['r'], ['y']),
    ],
  });
  expect(graphOf(readOnnx(bytes), examples).outputs[0]!.shape).toEqual([examples, 1]);
});
