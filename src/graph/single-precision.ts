import { GraphBuilder } from './builder.js';
import type { Graph, Node, Value } from './types.js';

/** x · 2^29 + x, less what it exceeds x by, keeps 24 of float64's 53 bits (Veltkamp's splitting). */
const split = 2 ** 29 + 1;

/** Rounds to 24 bits, as float32 does where nothing over- or underflows. */
function rounded(builder: GraphBuilder, value: Value): Value {
  const scaled = builder.apply('Mul', [value, builder.scalar(split)], {}, `${value.name}/scaled`);
  const rest = builder.apply('Sub', [scaled, value], {}, `${value.name}/rest`);
  return builder.apply('Sub', [scaled, rest], {}, `${value.name}/rounded`);
}

/** Probabilities less targets, as an engine has them that subtracts in float32: numbers close to 1 lose their last digits. */
function cancelled(builder: GraphBuilder, difference: Value): Value {
  const one = builder.scalar(1);
  const near = rounded(builder, builder.apply('Add', [difference, one], {}, `${difference.name}/near`));
  return builder.apply('Sub', [near, one], {}, `${difference.name}/cancelled`);
}

/**
 * The graph with every float result rounded to float32's 24 bits. Run in float64 it shows what the rounding of single results does to
 * the whole: how well the numbers are determined in float32 at this point.
 */
export function inSinglePrecision(graph: Graph): Graph {
  const builder = new GraphBuilder(`${graph.name} in float32`);
  const known = new Map<number, Value>();
  for (const { id, name, dtype, shape } of graph.inputs) known.set(id, builder.input(name, dtype, shape));
  for (const { value, ...options } of graph.parameters)
    known.set(value.id, builder.parameter(value.name, value.shape, options));
  for (const { value, data } of graph.constants)
    known.set(value.id, builder.constant(data, value.shape, value.dtype, value.name));
  for (const node of graph.nodes) addRounded(builder, known, node);
  return builder.build(graph.outputs.map(({ id }) => known.get(id)!));
}

function addRounded(builder: GraphBuilder, known: Map<number, Value>, node: Node): void {
  const inputs = node.inputs.map((value) => value && known.get(value.id)!);
  const outputs = builder.add(node.op, inputs, node.attributes, node.name);
  for (const [k, { id, dtype }] of node.outputs.entries()) {
    const output = outputs[k]!;
    const isDifference = node.op === 'SoftmaxCrossEntropyLossGrad';
    const result = isDifference ? cancelled(builder, output) : output;
    known.set(id, dtype === 'float32' ? rounded(builder, result) : output);
  }
}
