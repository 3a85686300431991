import type { ParameterLayout } from '../../ledger/types.js';
import { neuronCount, neuronOffsets } from '../../ledger/layout.js';
import { compareSamples, type TwoSampleTest } from '../statistics/kolmogorov.js';

/** On how many classes a neuron's help is spent. */
export interface Concentration {
  /** Largest share of its help that one class has. */
  readonly largest: number;
  readonly largestClass: number;
  /** exp(entropy) of the shares: as many equal classes would look like this. */
  readonly effective: number;
  /** Fewest classes that have half of the help. */
  readonly forHalf: number;
}

/** Class specialisation of a layer's neurons (paper Section S6.2, Figure S21). */
export interface LayerClasses {
  readonly layer: string;
  readonly neurons: number;
  /** Largest share of each neuron that helps any class; ascending. */
  readonly largest: readonly number[];
  /** Means over these neurons; null without any. */
  readonly meanLargest: number | null;
  readonly meanEffective: number | null;
  readonly meanForHalf: number | null;
  /** `largest` against that of the layer before it; null for the first. */
  readonly test: TwoSampleTest | null;
  /** Share of the neurons that help one class and hurt another. */
  readonly conflicted: number;
  /** Share of Σ abs(h) that cancels between the classes of a neuron: 1 − Σ abs(Σ_c h) / Σ Σ_c abs(h). */
  readonly cancelled: number | null;
}

/** A neuron that helps one class at another's cost. */
export interface Conflict {
  readonly layer: string;
  readonly neuron: number;
  readonly helps: string;
  readonly hurts: string;
  /** In the loss's unit: below zero, and above. */
  readonly help: number;
  readonly hurt: number;
}

/** What neurons do for classes. */
export interface ClassAnalysis {
  readonly classes: readonly string[];
  readonly perLayer: readonly LayerClasses[];
  /** Those with the largest smaller side, at most ten. */
  readonly conflicts: readonly Conflict[];
  /** [classes][classes] of (helped, hurt): Σ over neurons of the hurt, shared out by help; in the loss's unit. */
  readonly conflictMatrix: readonly (readonly number[])[];
}

/** Of the class sums h [classes] of a neuron: how its help is spread; null where it helps none. */
export function concentrationOf(h: readonly number[]): Concentration | null {
  const help = h.map((value) => Math.max(0, -value));
  const total = help.reduce((sum, value) => sum + value, 0);
  if (total === 0) return null;
  const shares = help.map((value) => value / total);
  const descending = shares.toSorted((a, b) => b - a);
  let [held, forHalf] = [0, 0];
  while (held < 0.5) held += descending[forHalf++]!;
  return {
    largest: descending[0]!,
    largestClass: shares.indexOf(descending[0]!),
    effective: Math.exp(-shares.reduce((sum, p) => sum + (p > 0 ? p * Math.log(p) : 0), 0)),
    forHalf,
  };
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

/** The class sums of each neuron of a layer, from sums [classes · neurons] over the run. */
function neuronsOf(sums: Float64Array, layout: ParameterLayout, layer: number, classes: number): number[][] {
  const all = neuronCount(layout);
  const first = neuronOffsets(layout)[layer]!;
  return Array.from({ length: layout.neurons[layer]! }, (_, neuron) =>
    Array.from({ length: classes }, (_unused, c) => sums[c * all + first + neuron]!),
  );
}

function cancelledOf(neurons: readonly (readonly number[])[]): number | null {
  let [net, gross] = [0, 0];
  for (const h of neurons) {
    net += Math.abs(h.reduce((sum, value) => sum + value, 0));
    gross += h.reduce((sum, value) => sum + Math.abs(value), 0);
  }
  return gross > 0 ? 1 - net / gross : null;
}

const isConflicted = (h: readonly number[]): boolean => h.some((x) => x < 0) && h.some((x) => x > 0);

function describeLayer(layer: string, neurons: readonly (readonly number[])[]): Omit<LayerClasses, 'test'> {
  const found = neurons.flatMap((h) => concentrationOf(h) ?? []);
  return {
    layer,
    neurons: neurons.length,
    largest: found.map(({ largest }) => largest).sort((a, b) => a - b),
    meanLargest: mean(found.map(({ largest }) => largest)),
    meanEffective: mean(found.map(({ effective }) => effective)),
    meanForHalf: mean(found.map(({ forHalf }) => forHalf)),
    conflicted: neurons.filter(isConflicted).length / neurons.length,
    cancelled: cancelledOf(neurons),
  };
}

function conflictOf(
  layer: string,
  neuron: number,
  h: readonly number[],
  classes: readonly string[],
): Conflict {
  const [help, hurt] = [Math.min(...h), Math.max(...h)];
  return { layer, neuron, helps: classes[h.indexOf(help)]!, hurts: classes[h.indexOf(hurt)]!, help, hurt };
}

function matrixOf(neurons: readonly (readonly number[])[], classes: number): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const h of neurons) {
    const help = h.reduce((sum, value) => sum + Math.max(0, -value), 0);
    if (help === 0) continue;
    h.forEach((a, helped) => {
      if (a < 0) h.forEach((b, hurt) => (matrix[helped]![hurt]! += (Math.max(0, b) * -a) / help));
    });
  }
  return matrix;
}

/** Of sums [classes · neurons] over the run. */
export function analyseClasses(sums: Float64Array, layout: ParameterLayout, classes: readonly string[]): ClassAnalysis {
  const layers = layout.layers
    .map((layer, index) => ({ layer, neurons: neuronsOf(sums, layout, index, classes.length) }))
    .filter(({ neurons }) => neurons.length > 0);
  const described = layers.map(({ layer, neurons }) => describeLayer(layer, neurons));
  const conflicts = layers.flatMap(({ layer, neurons }) =>
    neurons.flatMap((h, neuron) => (isConflicted(h) ? [conflictOf(layer, neuron, h, classes)] : [])),
  );
  const size = ({ help, hurt }: Conflict): number => Math.min(-help, hurt);
  return {
    classes,
    perLayer: described.map((own, i) => ({
      ...own,
      test: i === 0 ? null : compareSamples(described[i - 1]!.largest, own.largest),
    })),
    conflicts: conflicts.toSorted((a, b) => size(b) - size(a)).slice(0, 10),
    conflictMatrix: matrixOf(layers.flatMap(({ neurons }) => neurons), classes.length),
  };
} // prettier-ignore
