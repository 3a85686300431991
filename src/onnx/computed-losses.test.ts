import { describe, expect, it } from 'vitest';
import { feedTensors } from '../engines/reference/bind.js';
import { evaluate } from '../engines/reference/evaluate.js';
import { GraphBuilder } from '../graph/builder.js';
import { encodeModel, type NodeSpec } from './protobuf/encode.js';
import { readOnnx } from './index.js';
import { tensor } from '../../test/support/onnx-model.js';

/** Scores [2, 3, 2], and labels [2, 2] of which one is −100. */
const scores = [0.5, -1, 2, 0.25, -0.5, 1, 1.5, 0, -2, 3, 0.75, -0.25];
const labels = [1, 0, -100, 2];
const weights = [0.5, 2, 1.25];

/** The result of a loss of input `input` [N, 3, 2], one number for each label, with labels of a second input. */
function resultOf(
  op: string,
  attributes: NodeSpec['attributes'],
  given = labels,
  weighted = false,
): number[] {
  const bytes = encodeModel({
    name: 'model',
    opset: 17,
    inputs: [
      { name: 'input', dtype: 'float32', shape: ['batch', 3, 2] },
      { name: 'target', dtype: 'int64', shape: ['batch', 2] },
    ],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 2] }],
    initializers: weighted ? [tensor('w', [3], weights)] : [],
    nodes: [
      { op, name: op, inputs: ['input', 'target', ...(weighted ? ['w'] : [])], outputs: ['y'], attributes },
    ],
  });
  const model = readOnnx(bytes, { computesLoss: attributes['reduction'] === 'mean', trained: () => false });
  const builder = new GraphBuilder('graph');
  const inputs = [builder.input('x', 'float32', [2, 3, 2]), builder.input('t', 'int64', [2, 2])] as const;
  const graph = builder.build([model.addTo(builder, ...inputs)]);
  const feeds = { x: Float32Array.from(scores), t: BigInt64Array.from(given, BigInt) };
  return [...evaluate(graph, new Map(feedTensors(graph, feeds)))[0]!.data];
}

/** −log p of each label by its definition, times its class's weight; 0 for labels that are ignored. */
function naive(given: readonly number[], weighted: boolean, isLogarithm: boolean): number[] {
  return given.map((label, k) => {
    if (label === -100) return 0;
    const [example, position] = [Math.floor(k / 2), k % 2];
    const own = [0, 1, 2].map((c) => scores[example * 6 + c * 2 + position]!);
    const log = isLogarithm ? 0 : Math.log(own.reduce((sum, score) => sum + Math.exp(score), 0));
    return (log - own[label]!) * (weighted ? weights[label]! : 1);
  });
}

describe('losses that a model computes', () => {
  it.each([
    ['SoftmaxCrossEntropyLoss', false],
    ['SoftmaxCrossEntropyLoss', true],
    ['NegativeLogLikelihoodLoss', false],
    ['NegativeLogLikelihoodLoss', true],
  ])('%s, weighted: %s, without reduction', (op, weighted) => {
    const found = resultOf(op, { reduction: 'none', ignore_index: -100 }, labels, weighted);
    const expected = naive(labels, weighted, op.startsWith('Negative'));
    found.forEach((value, k) => { expect(value).toBeCloseTo(expected[k]!, 13); }); // prettier-ignore
  });

  it('refuses a label that is no class, instead of reading the neighbour’s', () => {
    expect(() => resultOf('SoftmaxCrossEntropyLoss', { reduction: 'none' }, [1, 3, 0, 2])).toThrow(/index/);
    expect(() => resultOf('SoftmaxCrossEntropyLoss', { reduction: 'none' }, [1, -1, 0, 2])).toThrow(/index/);
  });

  it('refuses a mean over the chunk, whose chunks cannot be added up', () => {
    expect(() => resultOf('SoftmaxCrossEntropyLoss', { reduction: 'mean' })).toThrow(/loss of each example/);
  });

  it('GatherElements looks up one by one, also from behind', () => {
    // Axis 1 of [2, 3, 2] by indices [2, 1, 2].
    const bytes = encodeModel({
      name: 'model',
      opset: 17,
      inputs: [
        { name: 'input', dtype: 'float32', shape: ['batch', 3, 2] },
        { name: 'places', dtype: 'int64', shape: ['batch', 1, 2] },
      ],
      outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 1, 2] }],
      initializers: [],
      nodes: [{ op: 'GatherElements', name: 'g', inputs: ['input', 'places'], outputs: ['y'], attributes: { axis: 1 } }],
    }); // prettier-ignore
    const builder = new GraphBuilder('graph');
    const inputs = [
      builder.input('x', 'float32', [2, 3, 2]),
      builder.input('t', 'int64', [2, 1, 2]),
    ] as const;
    const graph = builder.build([readOnnx(bytes).addTo(builder, ...inputs)]);
    const feeds = { x: Float32Array.from(scores), t: BigInt64Array.of(2n, 0n, -1n, 1n) };
    expect([...evaluate(graph, new Map(feedTensors(graph, feeds)))[0]!.data]).toEqual([-0.5, -1, 0.75, 3]);
  });
});

describe('outputs beside the first', () => {
  const bytes = (second: string) =>
    encodeModel({
      name: 'model', opset: 17,
      inputs: [{ name: 'input', dtype: 'float32', shape: ['batch', 1] }],
      outputs: ['loss', second].map((name) => ({ name, dtype: 'float32', shape: ['batch', 1] })),
      initializers: [],
      nodes: [{ op: 'Relu', name: 'r', inputs: ['input'], outputs: ['loss'], attributes: {} }, { op: 'Sign', name: 's', inputs: ['input'], outputs: [second], attributes: {} }],
    });
  const warnings = (second: string, computesLoss: boolean) =>
    readOnnx(bytes(second), { computesLoss, trained: () => false }).warnings.join();

  it('are warned of by name where nothing is measured of them, but for the weight of a loss', () => {
    expect(warnings('aux', false)).toMatch(/only the first output, loss, is measured, and no loss of aux/);
    expect(warnings('weight', false)).toMatch(/no loss of weight/);
    expect(warnings('aux', true)).toMatch(/no loss of aux/);
    expect(warnings('weight', true)).toBe('');
  });
}); // prettier-ignore
