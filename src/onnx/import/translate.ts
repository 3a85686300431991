import type { Graph, Node } from '../protobuf/onnx_pb.js';
import { NodeContext, type ImportState } from './context.js';
import { isStatic, staticTensor, type Operand } from './static-tensor.js';
import { folded } from './fold.js';
import { rememberKnown } from './known.js';
import { stack } from './operators/recurrent.js';
import { translations } from './operators/translations.js';
import { unsupported } from './unsupported.js';

/** Operators that hold graphs, of which what is taken is written out. */
export const controlFlow: readonly string[] = ['If', 'Loop'];

/** Branches within branches are followed to this depth. */
const deepest = 8;

/** Rounds of a Loop that are written out at most, and nodes of all rounds of a model. */
const mostRounds = 1024;
const mostNodes = 50_000;

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
  if (opType === 'Loop') return loop(context, operands, depth);
  const results = folded(context) ?? translations.get(opType)?.(context) ?? null;
  if (results === null) return null;
  const outputs = Array.isArray(results) ? (results as readonly Operand[]) : [results as Operand];
  rememberKnown(context, outputs);
  return outputs;
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
  return graph === undefined ? null : resultsOfGraph(graph, new Map(operands), context, depth + 1);
}

/** Whether a condition holds, which must not depend on the data; one that is left out does. */
function holds(context: NodeContext, condition: Operand | null): boolean {
  if (condition === null) return true;
  if (isStatic(condition)) return condition.data[0] !== 0;
  return context.fail(
    'a condition that depends on the data',
    'a number of rounds that is the same for all data',
  );
}

/**
 * A loop whose number of rounds is known, written out round by round: what it carried last, then what it collected of each round [rounds, …].
 * Throws GraphError where the number depends on the data or is too large.
 */
function loop(
  context: NodeContext,
  operands: ReadonlyMap<string, Operand>,
  depth: number,
): readonly Operand[] | null {
  const body = context.attributes.graph('body');
  if (body === undefined || depth >= deepest) return null;
  const most = context.number(0, Infinity);
  let goesOn: Operand | null = context.inputs[1] ?? null;
  let carried = context.inputs.slice(2).map((_, k) => context.operand(k + 2));
  const collected: Operand[][] = body.output.slice(1 + carried.length).map(() => []);
  for (let round = 0; round < most && holds(context, goesOn); round++) {
    if (round === mostRounds) context.fail(`more than ${mostRounds} rounds`, `at most ${mostRounds}`);
    const given = [staticTensor('int64', [], [round]), goesOn ?? staticTensor('bool', [], [1]), ...carried];
    const inner = new Map(operands);
    body.input.forEach(({ name }, k) => inner.set(name, given[k] ?? context.fail(`no input ${k}`, 'one')));
    const [condition, ...results] = resultsOfGraph(body, inner, context, depth + 1);
    goesOn = condition ?? null;
    carried = results.slice(0, carried.length);
    results.slice(carried.length).forEach((result, k) => collected[k]!.push(result));
  }
  return [...carried, ...collected.map((list) => stackOf(context, list))];
}

/** What each round of a loop gave, along a new axis 0. Throws GraphError where there was no round. */
function stackOf(context: NodeContext, list: readonly Operand[]): Operand {
  const [first] = list;
  if (first === undefined)
    return context.fail('a loop of no rounds that collects what they give', 'one round or more');
  if (!list.every(isStatic)) return stack(context, list.map((each) => context.asValue(each)), 0); // prettier-ignore
  const data = Float64Array.from(list.flatMap((each) => [...each.data]));
  return staticTensor(first.dtype, [list.length, ...first.shape], data);
}

function resultsOfGraph(
  { node, output }: Graph,
  inner: Map<string, Operand>,
  context: NodeContext,
  depth: number,
): Operand[] {
  const { state } = context;
  state.unrolled += node.length;
  if (state.unrolled > mostNodes) context.fail(`more than ${mostNodes} nodes, written out`, 'fewer rounds');
  for (const each of node) {
    if (state.batch !== null && each.opType === 'Reshape') {
      context.fail(
        'a Reshape within, which may hold the exported number of examples',
        'shapes that hold for any number of examples',
        'export the model with a symbolic batch axis (dynamic_axes)',
      );
    }
    translate(each, inner, state, depth);
  }
  return output.map(({ name }) => inner.get(name) ?? context.fail(`no tensor ${name} within`, 'one'));
}
