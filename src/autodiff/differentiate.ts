import { GraphError } from '../errors.js';
import { misfit } from '../graph/application.js';
import { GraphBuilder } from '../graph/builder.js';
import { prune } from '../graph/prune.js';
import type { Graph, Node, Value } from '../graph/types.js';
import { sizeOf } from '../graph/types.js';
import type { ConstantData } from './backward.js';
import { Backward } from './backward.js';
import { gradientRules, withoutGradient } from './rules/index.js';

/** Ids of the values through which the loss depends on parameters. */
function dependentValues(graph: Graph): Set<number> {
  const dependent = new Set(graph.parameters.map((parameter) => parameter.value.id));
  for (const node of graph.nodes) {
    if (withoutGradient.has(node.op)) continue;
    if (!node.inputs.some((value) => value !== null && dependent.has(value.id))) continue;
    for (const value of node.outputs) if (value.dtype === 'float32') dependent.add(value.id);
  }
  return dependent;
}

/** Collects the gradient of each value while nodes are visited from the loss backwards. */
class Gradients {
  readonly #sums = new Map<number, Value>();

  constructor(readonly builder: GraphBuilder) {}

  of(value: Value): Value | null {
    return this.#sums.get(value.id) ?? null;
  }

  add(value: Value, gradient: Value): void {
    const sum = this.#sums.get(value.id);
    const total = sum ? this.builder.apply('Add', [sum, gradient], {}, `${value.name}/grad_sum`) : gradient;
    this.#sums.set(value.id, total);
  }
}

function inputGradients(step: Backward): readonly (Value | null)[] {
  const rule = gradientRules.get(step.node.op);
  if (rule !== undefined) return rule(step);
  throw misfit(step.node, 'an operator with a gradient rule', 'gradients are not differentiated again');
}

function goBack(
  node: Node,
  gradients: Gradients,
  dependent: ReadonlySet<number>,
  constants: ConstantData,
): void {
  const upstream = node.outputs.map((value) => (dependent.has(value.id) ? gradients.of(value) : null));
  if (upstream.every((gradient) => gradient === null)) return;
  const results = inputGradients(new Backward(node, upstream, constants, gradients.builder));
  for (const [index, value] of node.inputs.entries()) {
    if (value === null || !dependent.has(value.id)) continue;
    const gradient = results[index] ?? null;
    if (gradient === null) {
      throw misfit(node, `input ${index} independent of parameters`, 'make this input a constant');
    }
    gradients.add(value, gradient);
  }
}

function checkLoss(graph: Graph): Value {
  const [loss] = graph.outputs;
  if (graph.outputs.length === 1 && loss!.dtype === 'float32' && sizeOf(loss!.shape) === 1) return loss!;
  const shapes = graph.outputs.map((value) => `${value.dtype} [${value.shape.join(', ')}]`);
  throw new GraphError({
    given: `graph ${graph.name} with outputs ${shapes.join(', ')}`,
    expected: 'one float32 scalar, the loss',
    remedy: 'attach a loss to the forward graph',
  });
}

/** The same values, but no two the same one, because engines tell outputs apart by name. */
function distinct(builder: GraphBuilder, values: readonly Value[]): Value[] {
  const seen = new Set<number>();
  return values.map((value) => {
    const output = seen.has(value.id) ? builder.apply('Identity', [value], {}, `${value.name}/copy`) : value;
    seen.add(output.id);
    return output;
  });
}

/**
 * Reverse mode: from a graph whose only output is a scalar loss to one whose outputs are the loss and its gradient with
 * respect to each of `graph.parameters`, in order. A parameter that the loss does not depend on gets zeros. Nodes that
 * these outputs do not need are left out. Throws GraphError with operator and node where a gradient is missing.
 */
export function differentiate(lossGraph: Graph): Graph {
  const loss = checkLoss(lossGraph);
  const graph = prune(lossGraph);
  const builder = GraphBuilder.from(graph, `${graph.name}+gradient`);
  const constants: ConstantData = new Map(graph.constants.map(({ value, data }) => [value.id, data]));
  const dependent = dependentValues(graph);
  const gradients = new Gradients(builder);
  gradients.add(loss, builder.constant([1], loss.shape, 'float32', 'loss/grad'));
  for (const node of graph.nodes.toReversed()) goBack(node, gradients, dependent, constants);
  const results = graph.parameters.map(
    ({ value }) =>
      gradients.of(value) ??
      builder.constant(new Float32Array(sizeOf(value.shape)), value.shape, 'float32', `${value.name}/grad`),
  );
  return prune(builder.build(distinct(builder, [loss, ...results])));
}
