import { GraphBuilder } from './builder.js';
import type { Graph, Node, Parameter, Value } from './types.js';
import { sizeOf } from './types.js';

/** Whose mean and variance batch normalisation uses: those of the examples evaluated together, or running ones that are kept beside the parameters. */
export const statisticsKinds = ['chunk', 'running'] as const;
export type StatisticsKind = (typeof statisticsKinds)[number];

/** Ends the names of the layers that hold running statistics. */
const suffix = 'statistics';

/** The nodes that normalise by the statistics of the examples that they are given. */
function normalisationsOf({ nodes }: Pick<Graph, 'nodes'>): Node[] {
  return nodes.filter(({ op }) => op === 'BatchNormTraining');
}

/** Whether a graph has batch normalisation by the statistics of what it is given. */
export function hasChunkStatistics(graph: Pick<Graph, 'nodes'>): boolean {
  return normalisationsOf(graph).length > 0;
}

/** The layer of a normalisation: that of its scale, else its own name. */
function layerOf({ name, inputs }: Node, parameters: readonly Parameter[]): string {
  return parameters.find(({ value }) => value.id === inputs[1]?.id)?.layer ?? name;
}

/** Names of the tensors of running statistics of a normalisation. */
const tensorNames = (layer: string) => [`${layer}.${suffix}.mean`, `${layer}.${suffix}.variance`] as const;

/**
 * The graph with running mean and variance of each batch normalisation behind its parameters, in a layer LAYER.statistics; nothing uses them yet.
 * They start as PyTorch's and Keras's: 0 and 1.
 */
export function withRunningStatistics(graph: Graph): Graph {
  const builder = GraphBuilder.from(graph);
  for (const node of normalisationsOf(graph)) {
    const layer = layerOf(node, graph.parameters);
    const shape = node.inputs[1]!.shape;
    tensorNames(layer).forEach((name, k) => {
      builder.parameter(name, shape, { layer: `${layer}.${suffix}`, neuronAxis: null, initializer: { kind: k === 0 ? 'zeros' : 'ones' } }); // prettier-ignore
    });
  }
  return builder.build(graph.outputs);
}

/** The graph of `withRunningStatistics` that normalises by them: no example depends on others any more. */
export function byRunningStatistics(graph: Graph): Graph {
  const values = new Map(graph.parameters.map(({ value }) => [value.name, value]));
  const nodes = graph.nodes.map((node): Node => {
    if (node.op !== 'BatchNormTraining') return node;
    const own = tensorNames(layerOf(node, graph.parameters)).map((name) => values.get(name)!);
    return {
      ...node,
      op: 'BatchNormalization',
      inputs: [...node.inputs, ...own],
      outputs: node.outputs.slice(0, 1),
    };
  });
  return { ...graph, nodes };
}

/**
 * The graph of `withRunningStatistics` whose results are the statistics of what it is fed: a loss of 0, then in place of each parameter's
 * gradient zeros, and in place of running ones the mean and the unbiased variance.
 */
export function statisticsGraph(graph: Graph): Graph {
  const builder = GraphBuilder.from(graph, `${graph.name}+statistics`);
  const results = new Map<string, Value>();
  const sums: Value[] = [];
  for (const node of normalisationsOf(graph)) {
    const [x] = node.inputs as [Value, Value, Value];
    const [, centre] = node.outputs as [Value, Value, Value];
    const [meanName, varianceName] = tensorNames(layerOf(node, graph.parameters));
    const axes = [...x.shape.keys()].filter((axis) => axis !== 1);
    const count = sizeOf(x.shape) / x.shape[1]!;
    const perChannel = { shape: [1, x.shape[1]!, ...axes.slice(1).map(() => 1)] };
    const centred = builder.apply('Sub', [x, builder.apply('Reshape', [centre], perChannel)]);
    const squares = builder.apply('ReduceSum', [builder.apply('Mul', [centred, centred])], {
      axes,
      keepdims: 0,
    });
    results.set(meanName, builder.apply('ReduceMean', [x], { axes, keepdims: 0 }));
    sums.push(builder.apply('ReduceSum', [squares], { axes: [0], keepdims: 0 }));
    results.set(varianceName, builder.apply('Div', [squares, builder.scalar(Math.max(1, count - 1))]));
  }
  const gradients = graph.parameters.map(
    ({ value }) => results.get(value.name) ?? builder.constant(new Float32Array(sizeOf(value.shape)), value.shape, 'float32', `${value.name}/none`), // prettier-ignore
  );
  // Zero, and yet a sum over examples, as engines expect of a loss.
  const loss = builder.apply('Mul', [sums[0]!, builder.scalar(0)]);
  return builder.build([loss, ...gradients]);
}
