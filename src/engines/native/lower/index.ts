import type { Graph, Node, Value } from '../../../graph/types.js';
import { sizeOf } from '../../../graph/types.js';
import { channelSums } from '../kernels/channel-sums.js';
import { addToGradient } from '../kernels/table.js';
import type { GraphSteps, Step } from '../plan/step.js';
import type { Target } from '../toolchain/target.js';
import { type Fed, type FedBytes, type Reduced, reducedSums } from './held.js';
import { rowMajorStrides } from './held.js';
import { bytesOf, withScalesBehind } from './bytes.js';
import { Lowering } from './lowering.js';
import { checkFeeds } from './whole-numbers.js';
import { operators } from './operators/index.js';
import { skipMaskedHalves } from './causal.js';
import { withExamplesFirst } from './examples-first/index.js';
import { simplify } from './simplify.js';
import { unsupported } from './unsupported.js';

/** Turns a loss graph, with or without gradients, into steps. Throws EngineError for what is not supported. */
export function lowerToSteps(graph: Graph, target: Target): GraphSteps {
  const general = simplify(skipMaskedHalves(withExamplesFirst(graph)));
  const scaled = target.matrixUnit === null ? general : withScalesBehind(general);
  const bytes: ReadonlySet<number> = target.matrixUnit === null ? new Set() : bytesOf(scaled);
  const simple = bytes.size > 0 ? scaled : general;
  const lowering = new Lowering(simple, target);
  holdSources(simple, lowering);
  for (const node of simple.nodes) {
    const [output] = node.outputs as [Value];
    if (bytes.has(output.id)) {
      const { feed } = lowering.held(node.inputs[0]!) as Fed | FedBytes;
      lowering.hold(output, { kind: 'bytes', feed });
      continue;
    }
    const lower = operators.get(node.op);
    if (!lower) throw unsupported(node, `one of ${[...operators.keys()].sort().join(', ')}`);
    lower(node, lowering);
    checkExamples(node, lowering);
  }
  const [loss, ...gradients] = simple.outputs;
  const held = lowering.held(loss!);
  if (held.kind !== 'reduced') throw unsupported(lastNode(graph), 'a loss that is a sum over the examples');
  const lastSteps = gradientSteps(simple, gradients, lowering);
  checkFeeds(graph, held.sums, lowering);
  return {
    examples: lowering.examples,
    feeds: graph.inputs,
    varied: graph.varied === undefined ? null : graph.inputs.findIndex(({ name }) => name === graph.varied),
    usesMatrixUnit: bytes.size > 0,
    constants: simple.constants,
    derived: lowering.derived,
    loadSteps: lowering.loadSteps,
    gradientSteps: lastSteps,
    steps: lowering.steps,
    loss: { sums: held.sums, factor: held.factor },
  };
}

/** What varies by example has the examples on axis 0: everything here relies on it. */
function checkExamples(node: Node, lowering: Lowering): void {
  for (const value of node.outputs) {
    const held = lowering.heldOrNull(value);
    if (held?.kind === 'examples' && value.shape[0] !== lowering.examples) {
      throw unsupported(node, 'examples that stay on axis 0');
    }
  }
}

function lastNode(graph: Graph): Node {
  return graph.nodes.at(-1)!;
}

/** Inputs, parameters and constants, before any node. */
function holdSources(graph: Graph, lowering: Lowering): void {
  graph.inputs.forEach((value, index) => {
    lowering.hold(value, { kind: 'fed', feed: { kind: 'feed', index } });
  });
  const views = [
    { source: 'theta', values: graph.parameters.map((parameter) => parameter.value) },
    { source: 'constants', values: graph.constants.map((constant) => constant.value) },
  ] as const;
  for (const { source, values } of views) {
    let offset = 0;
    for (const value of values) {
      const { shape } = value;
      const numbers = { kind: 'numbers', source, offset } as const;
      lowering.hold(value, { kind: 'static', numbers, shape, strides: rowMajorStrides(shape) });
      offset += sizeOf(shape);
    }
  }
  for (const { value, data } of graph.constants) {
    if (data.length === 1)
      lowering.hold(value, { kind: 'uniform', value: Number(data[0]), shape: value.shape });
  }
}

/** The sums over the examples that a value holds; the numbers of the only example are such sums, too. */
function sumsOf(value: Value, lowering: Lowering): Reduced | null {
  const held = lowering.held(value);
  if (held.kind === 'reduced') return held;
  if (held.kind !== 'examples' || lowering.examples !== 1) return null;
  const { shape } = value;
  const geometry = { channels: sizeOf(shape), pixels: 1 };
  const sums = lowering.objects.sums(geometry.channels);
  const expression = { kind: 'tensor', tensor: lowering.tensor(value) } as const;
  const terms = [{ expression: lowering.masked({ ...held, expression }), sums }];
  lowering.steps.push(channelSums(terms, geometry, lowering.target));
  return reducedSums(sums, shape);
}

/** True for the gradient of a parameter that the loss does not depend on. */
function isZero(value: Value, graph: Graph): boolean {
  const constant = graph.constants.find((entry) => entry.value.id === value.id);
  return (
    constant !== undefined && Array.from(constant.data as ArrayLike<number>).every((x) => Number(x) === 0)
  );
}

function gradientSteps(graph: Graph, gradients: readonly Value[], lowering: Lowering): Step[] {
  let offset = 0;
  return gradients.flatMap((gradient, index) => {
    const { shape } = graph.parameters[index]!.value;
    if (isZero(gradient, graph)) {
      offset += sizeOf(shape);
      return [];
    }
    const held = sumsOf(gradient, lowering);
    if (held === null) throw unsupported(lastNode(graph), 'gradients that are sums over the examples');
    const step = addToGradient(held.sums, held.factor, held, offset);
    offset += sizeOf(shape);
    return step;
  });
}
