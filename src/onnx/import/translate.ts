import type { Graph, Node } from '../protobuf/onnx_pb.js';
import { readTensor } from '../protobuf/tensor.js';
import { NodeContext, type ImportState } from './context.js';
import { isStatic, type Operand } from './static-tensor.js';
import { folded } from './fold.js';
import { translations } from './operators/translations.js';
import { unsupported } from './unsupported.js';

/** Branches within branches are followed to this depth. */
const deepest = 8;

/**
 * Translates one node, and enters its outputs among the operands by name. Throws GraphError where it cannot be
 * translated.
 */
export function translate(node: Node, operands: Map<string, Operand>, state: ImportState, depth = 0): void {
  const standard = node.domain === '' || node.domain === 'ai.onnx';
  const inputs = node.input.map((name) => (name === '' ? null : (operands.get(name) ?? null)));
  const context = new NodeContext(node, inputs, state);
  const outputs = standard ? resultsOf(context, operands, depth) : null;
  if (outputs === null) throw unsupported(node, state.opset);
  node.output.forEach((name, k) => {
    if (name === '' || outputs[k] === undefined) return;
    operands.set(name, outputs[k]);
    state.batch?.follow(node, name, outputs[k].shape);
  });
}

function resultsOf(
  context: NodeContext,
  operands: ReadonlyMap<string, Operand>,
  depth: number,
): readonly Operand[] | null {
  const { opType } = context.node;
  if (opType === 'If') return branch(context, operands, depth);
  const results = folded(context) ?? translations.get(opType)?.(context) ?? null;
  return results === null || Array.isArray(results) ? results : [results as Operand];
}

/** The branch that is taken, where shapes decide which; null where it depends on the data. */
function branch(
  context: NodeContext,
  operands: ReadonlyMap<string, Operand>,
  depth: number,
): readonly Operand[] | null {
  const condition = context.operand(0);
  if (!isStatic(condition) || depth >= deepest) return null;
  const graph = context.attributes.graph(condition.data[0] === 0 ? 'else_branch' : 'then_branch');
  return graph === undefined ? null : resultsOfGraph(graph, operands, context, depth + 1);
}

function resultsOfGraph(
  { initializer, node, output }: Graph,
  operands: ReadonlyMap<string, Operand>,
  context: NodeContext,
  depth: number,
): Operand[] {
  const { state } = context;
  const inner = new Map(operands);
  for (const tensor of initializer) inner.set(tensor.name, readTensor(tensor, state.externalData));
  for (const each of node) translate(each, inner, state, depth);
  return output.map(({ name }) => inner.get(name) ?? context.fail(`no tensor ${name} in its branch`, 'one'));
}
