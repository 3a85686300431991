import type {
  ClassAnalysis,
  KernelCorrelation,
  PairCorrelation,
  ThemeAnalyses,
} from '../../../analysis/index.js';
import { formatCount, formatNumber, formatShare } from '../../format.js';
import type { ReadTable } from './table.js';

const number = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : formatNumber(value, 3);

function kernelRow({ tensor, cumulative, single }: KernelCorrelation): string[] {
  const of = (curves: readonly PairCorrelation[], kind: string) => curves.find((own) => own.kind === kind);
  return [
    tensor,
    ...['output', 'input', 'all'].map((kind) => number(of(cumulative, kind)?.mean)),
    ...['output', 'input'].map((kind) => number(of(cumulative, kind)?.test?.distance)),
    ...['output', 'input', 'all'].map((kind) => number(of(single, kind)?.mean)),
  ];
}

function correlationTable(kernels: readonly KernelCorrelation[]): ReadTable {
  return {
    title: 'Neurons: do parameters that share an output or input learn together?',
    head: ['kernel', 'output', 'input', 'any', 'D out', 'D in', 'output', 'input', 'any'],
    rows: kernels.map(kernelRow),
    note:
      "Mean of Pearson's correlation over all pairs of a kernel's parameters with the same output, the same input, and any: of running totals, " +
      'then (last three) of single allocations. D: Kolmogorov–Smirnov distance of 1,000 such pairs to 1,000 of any. ' +
      'Pairs overlap, so D is worth quoting and its p is not.',
  };
}

function classTables({ perLayer, conflicts, classes }: ClassAnalysis, unit: string): ReadTable[] {
  return [
    {
      title: 'Classes: on how many a neuron spends its help',
      head: ['layer', 'neurons', 'best', 'classes', 'half', 'D', 'p', 'conflict', 'cancel'],
      rows: perLayer.map((own) => [
        own.layer,
        formatCount(own.neurons),
        formatShare(own.meanLargest),
        number(own.meanEffective),
        number(own.meanForHalf),
        number(own.test?.distance),
        own.test === null ? '–' : formatNumber(own.test.p, 2),
        formatShare(own.conflicted),
        formatShare(own.cancelled),
      ]),
      note:
        `best: the share of a neuron's help that its best class has, in the mean (of ${classes.length} classes); classes: exp(entropy) of these shares; half: classes ` +
        'that hold half. D and p: Kolmogorov–Smirnov against the layer before. The last layer is special by construction: its neurons are the ' +
        'classes. conflict: neurons that help one class and hurt another; cancel: what classes cancel in a neuron, of all they move.',
    },
    ...(conflicts.length === 0
      ? []
      : [
          {
            title: 'Classes: neurons in conflict',
            head: ['neuron', 'helps', `by (${unit})`, 'hurts', `by (${unit})`],
            rows: conflicts.map(({ layer, neuron, helps, hurts, help, hurt }) => [
              `${layer}, neuron ${neuron}`,
              helps,
              formatNumber(help, 3),
              hurts,
              formatNumber(hurt, 3),
            ]),
            note: 'Sums over the run; those with the largest smaller side.',
          },
        ]),
  ];
}

/** Correlation of trajectories and class specialisation (Section S6). */
export function neuronsTables({ neurons, unit }: ThemeAnalyses): ReadTable[] {
  if (!neurons) return [];
  const { kernels, classes } = neurons;
  return [
    ...(kernels && kernels.length > 0 ? [correlationTable(kernels)] : []),
    ...(classes ? classTables(classes, unit) : []),
  ];
}
