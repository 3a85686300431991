import { describe, expect, it } from 'vitest';
import { evaluate } from '../engines/reference/evaluate.js';
import { parameterTensors } from '../engines/reference/bind.js';
import { GraphError } from '../errors.js';
import { GraphBuilder } from '../graph/builder.js';
import type { Graph, Shape, Value } from '../graph/types.js';
import { differentiate } from './differentiate.js';

function parameter(builder: GraphBuilder, name: string, shape: Shape): Value {
  return builder.parameter(name, shape, { layer: name, neuronAxis: null, initializer: { kind: 'zeros' } });
}

function total(builder: GraphBuilder, x: Value): Value {
  return builder.apply('ReduceSum', [x], { keepdims: 0 });
}

function operatorsOf(graph: Graph): string[] {
  return graph.nodes.map((node) => node.op);
}

function run(graph: Graph, theta: number[]): number[][] {
  return evaluate(graph, parameterTensors(graph, Float64Array.from(theta))).map(({ data }) => [...data]);
}

describe('differentiate', () => {
  it('gives the loss and one gradient per parameter, in order, of its shape', () => {
    const builder = new GraphBuilder('order');
    const b = parameter(builder, 'b', [2]);
    const a = parameter(builder, 'a', [3, 2]);
    const graph = differentiate(builder.build([total(builder, builder.apply('Mul', [a, b]))]));
    expect(graph.outputs.map((value) => value.shape)).toEqual([[], [2], [3, 2]]);
    expect(run(graph, [10, 20, 1, 2, 3, 4, 5, 6])).toEqual([[330], [9, 12], [10, 20, 10, 20, 10, 20]]);
  });

  it('adds up the gradients of a value that is used more than once', () => {
    const builder = new GraphBuilder('fan-out');
    const a = parameter(builder, 'a', [2]);
    const square = builder.apply('Mul', [a, a]);
    const cube = builder.apply('Mul', [square, a]);
    const graph = differentiate(builder.build([total(builder, builder.apply('Add', [cube, square]))]));
    expect(run(graph, [2, -3])[1]).toEqual([3 * 4 + 2 * 2, 3 * 9 - 2 * 3]);
  });

  it('gives zeros for a parameter that the loss does not depend on, or only through a constant step', () => {
    const builder = new GraphBuilder('unused');
    const used = parameter(builder, 'used', [2]);
    const unused = parameter(builder, 'unused', [3]);
    const sign = parameter(builder, 'sign', [2]);
    builder.apply('Exp', [unused]);
    const graph = differentiate(
      builder.build([total(builder, builder.apply('Mul', [used, builder.apply('Sign', [sign])]))]),
    );
    expect(run(graph, [1, 2, 0, 0, 0, -5, 5])).toEqual([[1], [-1, 1], [0, 0, 0], [0, 0]]);
    expect(operatorsOf(graph)).not.toContain('Exp');
  });

  it('never lets two outputs be one value', () => {
    const builder = new GraphBuilder('shared');
    const [a, b] = [parameter(builder, 'a', [2]), parameter(builder, 'b', [2])];
    const graph = differentiate(builder.build([total(builder, builder.apply('Add', [a, b]))]));
    expect(new Set(graph.outputs.map((value) => value.id)).size).toBe(3);
    expect(run(graph, [1, 2, 3, 4])).toEqual([[10], [1, 1], [1, 1]]);
  });

  it('does not compute the gradient of data', () => {
    const builder = new GraphBuilder('first layer');
    const x = builder.input('x', 'float32', [2, 1, 4, 4]);
    const w = parameter(builder, 'w', [3, 1, 3, 3]);
    const bias = parameter(builder, 'b', [3]);
    const y = builder.apply('Conv', [x, w, bias], {}, 'conv1');
    const graph = differentiate(builder.build([total(builder, builder.apply('Relu', [y]))]));
    const names = graph.nodes.map((node) => node.name);
    expect(operatorsOf(graph)).not.toContain('ConvGradInput');
    expect(names).toContain('conv1/ConvGradWeight');
    expect(names).toContain('conv1/ReduceSum');
  });

  it.each([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ])('turns Gemm with transA %d, transB %d into one Gemm for each operand', (transA, transB) => {
    const builder = new GraphBuilder('gemm');
    const a = parameter(builder, 'a', transA === 1 ? [3, 2] : [2, 3]);
    const b = parameter(builder, 'b', transB === 1 ? [4, 3] : [3, 4]);
    const y = builder.apply('Gemm', [a, b], { transA, transB }, 'fc');
    const graph = differentiate(builder.build([total(builder, y)]));
    expect(operatorsOf(graph).filter((op) => ['Gemm', 'MatMul', 'Transpose'].includes(op))).toEqual([
      'Gemm',
      'Gemm',
      'Gemm',
    ]);
  });

  it('refuses a graph whose output is not one scalar', () => {
    const builder = new GraphBuilder('vector');
    const a = parameter(builder, 'a', [2]);
    expect(() => differentiate(builder.build([a]))).toThrow(/one float32 scalar/);
    expect(() => differentiate(builder.build([]))).toThrow(GraphError);
  });

  it('refuses second derivatives, with the name of the node', () => {
    const builder = new GraphBuilder('second');
    const a = parameter(builder, 'a', [2]);
    const first = differentiate(builder.build([total(builder, builder.apply('Relu', [a], {}, 'act'))]));
    const again = GraphBuilder.from(first);
    const loss = total(again, again.apply('ReluGrad', [a, a], {}, 'act_grad'));
    expect(() => differentiate(again.build([loss]))).toThrow(/ReluGrad node act_grad/);
  });

  it('refuses a loss that depends on class weights or statistics that depend on parameters', () => {
    const builder = new GraphBuilder('weights');
    const logits = parameter(builder, 'logits', [2, 3]);
    const weights = parameter(builder, 'weights', [3]);
    const labels = builder.input('labels', 'int32', [2]);
    const loss = builder.apply('SoftmaxCrossEntropyLoss', [logits, labels, weights], {}, 'xent');
    expect(() => differentiate(builder.build([loss]))).toThrow(/xent.*\n.*input 2 independent/);
    const affine = builder.constant([1, 1, 1]);
    const mean = builder.add('BatchNormTraining', [logits, affine, affine], {}, 'bn')[1]!;
    expect(() => differentiate(builder.build([total(builder, mean)]))).toThrow(/bn.*\n.*first output only/);
  });
});
