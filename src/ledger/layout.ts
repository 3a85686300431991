import { UsageError } from '../errors.js';
import { type Graph, sizeOf } from '../graph/types.js';
import { atomStrips, byAxis } from './atoms.js';
import { groupingsOf } from './groupings.js';
import { onceFor } from '../num/once.js';
import { type Role, rolesOf } from './roles.js';
import type { AtomStrip, OwnGrouping, ParameterLayout, TensorSpan } from './types.js';

/** A parameter tensor before it has a place in θ. */
export type LaidTensor = Omit<TensorSpan, 'offset' | 'size' | keyof Role> & {
  readonly [K in keyof Role]?: Role[K] | undefined;
};

/**
 * Lays tensors into θ in the given order, row-major, and numbers layers and neurons.
 *
 * @throws UsageError where a neuron axis does not exist, or tensors of one layer disagree about its number of neurons.
 */
export function layoutOf(tensors: readonly LaidTensor[], own: readonly OwnGrouping[] = []): ParameterLayout {
  const spans: TensorSpan[] = [];
  const neuronsOf = new Map<string, number>();
  let offset = 0;
  for (const { name, shape, layer, neuronAxis, inputAxis = null, kind = 'other' } of tensors) {
    const size = sizeOf(shape);
    spans.push({ name, shape: [...shape], layer, neuronAxis, inputAxis, kind, offset, size });
    neuronsOf.set(layer, agreedNeurons(spans.at(-1)!, neuronsOf.get(layer) ?? 0));
    offset += size;
  }
  const layout = {
    size: offset,
    tensors: spans,
    layers: [...neuronsOf.keys()],
    neurons: [...neuronsOf.values()],
    atoms: byAxis((axis) => atomStrips(spans, axis)),
  };
  return { ...layout, groupings: groupingsOf(layout, own) };
}

/** Lays out the parameters of a graph, in its order. Throws as `layoutOf` does. */
export function layoutOfGraph(
  graph: Pick<Graph, 'parameters' | 'nodes'>,
  own: readonly OwnGrouping[] = [],
): ParameterLayout {
  const roles = rolesOf(graph);
  return layoutOf(
    graph.parameters.map(({ value: { name, shape }, layer, neuronAxis }, index) => {
      return { name, shape, layer, neuronAxis, ...roles[index]! };
    }),
    own,
  );
}

function agreedNeurons({ name, shape, layer, neuronAxis }: TensorSpan, known: number): number {
  if (neuronAxis === null) return known;
  const count = shape[neuronAxis];
  if (count === undefined) {
    throw new UsageError({
      given: `neuron axis ${neuronAxis} of ${name}, whose shape is [${shape.join(', ')}]`,
      expected: `an axis from 0 to ${shape.length - 1}, or null`,
      remedy: 'name the axis that counts the output neurons or channels',
    });
  }
  if (known !== 0 && known !== count) {
    throw new UsageError({
      given: `layer ${layer} has tensors of ${known} and of ${count} neurons (${name})`,
      expected: 'one number of neurons per layer',
      remedy: 'put the tensors into different layers, or set the neuron axis of one of them to null',
    });
  }
  return count;
}

/** The tensor that holds index k of θ, and the index inside it. */
export function placeOf(
  { tensors }: Pick<ParameterLayout, 'tensors'>,
  k: number,
): { tensor: string; index: number } {
  const { name, offset } = tensors.findLast((tensor) => tensor.offset <= k)!;
  return { tensor: name, index: k - offset };
}

/** Ranges of θ, each from an index to before another. */
export type Ranges = readonly (readonly [from: number, to: number])[];

/** What the tensors of a layer take of θ. */
export function rangesOf({ tensors }: Pick<ParameterLayout, 'tensors'>, layer: string): Ranges {
  return tensors
    .filter((tensor) => tensor.layer === layer)
    .map(({ offset, size }) => [offset, offset + size] as const);
}

/** What running statistics take of θ. */
export function statisticsRanges({ tensors }: Pick<ParameterLayout, 'tensors'>): Ranges {
  return tensors
    .filter(({ kind }) => kind === 'statistics')
    .map(({ offset, size }) => [offset, offset + size] as const);
}

/**
 * A tensor along its neuron axis, whose `first` is the cell of its first neuron. These cells are what a row is summed over: all neurons,
 * layer by layer, then one per layer for the tensors that have none.
 */
export interface Strip extends AtomStrip {
  readonly tensor: TensorSpan;
  /** Index of its layer. */
  readonly layer: number;
}

/** Σ neurons. */
export function neuronCount(layout: ParameterLayout): number {
  return layout.neurons.reduce((total, count) => total + count, 0);
}

/** First neuron of each layer. */
export function neuronOffsets(layout: ParameterLayout): number[] {
  let next = 0;
  return layout.neurons.map((count) => (next += count) - count);
}

/** How each tensor of θ falls into cells, in θ's order. Found once for each layout. */
export const stripsOf = onceFor((layout: ParameterLayout): readonly Strip[] => {
  const offsets = neuronOffsets(layout);
  const rest = neuronCount(layout);
  const layerIndex = new Map(layout.layers.map((name, index) => [name, index]));
  return layout.tensors.map((tensor, t) => {
    const layer = layerIndex.get(tensor.layer)!;
    const first = tensor.neuronAxis === null ? rest + layer : offsets[layer]!;
    return { ...layout.atoms.neuronAxis[t]!, tensor, layer, first };
  });
});
