import type { Graph, Node, Value } from './types.js';
import { parameterCount } from './types.js';

function typeOf(value: Value): string {
  return `${value.dtype} [${value.shape.join(', ')}]`;
}

function nodeLine(node: Node): string {
  const inputs = node.inputs.map((value) => value?.name ?? '-').join(', ');
  const attributes = Object.entries(node.attributes).map(
    ([name, value]) => `${name}=${JSON.stringify(value)}`,
  );
  const outputs = node.outputs.map((value) => `${value.name} ${typeOf(value)}`).join(', ');
  return `${node.op}(${[inputs, ...attributes].join(', ')}) → ${outputs}`;
}

/** A graph as text, one line for each input, parameter and node: for reading, inspection and comparing in tests. */
export function describeGraph(graph: Graph): string {
  return [
    `graph ${graph.name}: ${parameterCount(graph.parameters)} parameters, ${graph.nodes.length} nodes`,
    ...graph.inputs.map((value) => `input ${value.name} ${typeOf(value)}`),
    ...graph.parameters.map(({ value }) => `parameter ${value.name} ${typeOf(value)}`),
    ...graph.constants.map(({ value }) => `constant ${value.name} ${typeOf(value)}`),
    ...graph.nodes.map(nodeLine),
    `outputs ${graph.outputs.map((value) => value.name).join(', ')}`,
  ].join('\n');
}
