import { extremeNeurons, extremeParameters, type Extremes } from '../rows/extremes.js';
import type { LedgerView } from '../../ledger/view.js';
import { sum } from '../../num/sums.js';
import { parametersOf } from '../objective.js';
import { summing, type ThemeContext, type Watcher } from '../themes/sweep.js';

/** Whether a layer is worth training, by what it did. */
export interface FreezeEvidence {
  readonly layer: string;
  readonly parameters: number;
  /** Σ of its allocations over the run, and over its last half by training iterations, in the loss's unit. */
  readonly total: number;
  readonly lastHalf: number;
  /** Share of the segments in which it raised the loss. */
  readonly hurtingSegments: number;
  /** `hurts`: its total raised the loss. `stopped`: it helped, and raised it in the last half. `idle`: under 1 % of all help. Else null. */
  readonly reason: 'hurts' | 'stopped' | 'idle' | null;
}

/** How far what lowered the training loss did not lower the held-out loss; by layer. */
export interface OverfitLayer {
  readonly layer: string;
  /** In the loss's unit. */
  readonly total: number;
  readonly heldOut: number;
  /** `total` less `heldOut`: below zero, it helped more on what it was trained on. */
  readonly difference: number;
}

/** Overfitting by where it happened. */
export interface Overfitting {
  readonly objective: string;
  readonly heldOut: string;
  readonly layers: readonly OverfitLayer[];
  /** Those whose difference is furthest below zero (`helped`) and above; null where their rows were not kept. */
  readonly neurons: Extremes | null;
  readonly parameters: Extremes | null;
  /** Share of the parameters that helped the one and hurt the other; null likewise. */
  readonly opposed: number | null;
}

/** What to do about it (uses of the paper's Section 4 and beyond). */
export interface UseAnalysis {
  readonly freeze: readonly FreezeEvidence[];
  /** Null where only one objective was measured. */
  readonly overfitting: Overfitting | null;
}

const idleShare = 0.01;

/** One layer's column of sums [T, layers]. */
function columnOf({ view }: ThemeContext, objective: string, layer: number): Float64Array {
  const [sums, count] = [view.column('layer_sums', objective), view.layout.layers.length];
  return Float64Array.from({ length: view.segments }, (_, t) => sums[t * count + layer]!);
}

function reasonOf(total: number, lastHalf: number, allHelp: number): FreezeEvidence['reason'] {
  if (total > 0) return 'hurts';
  if (total === 0 || -total < idleShare * allHelp) return 'idle';
  return lastHalf > 0 ? 'stopped' : null;
}

/** The row of θ nearest to the middle of the iterations: rows of checkpoints may lie close together early and far apart later. */
function middleRow({ iteration }: LedgerView): number {
  const middle = (iteration[0]! + iteration.at(-1)!) / 2;
  let nearest = 0;
  iteration.forEach((at, row) => {
    if (Math.abs(at - middle) < Math.abs(iteration[nearest]! - middle)) nearest = row;
  });
  return nearest;
}

function freezeOf(context: ThemeContext): FreezeEvidence[] {
  const { layout, segments } = context.view;
  const half = middleRow(context.view);
  const columns = layout.layers.map((_, layer) => columnOf(context, context.objective, layer));
  const totals = columns.map(sum);
  const allHelp = sum(totals.map((total) => Math.max(0, -total)));
  return layout.layers.map((layer, l) => {
    const lastHalf = sum(columns[l]!.subarray(half));
    return {
      layer,
      parameters: parametersOf(layout, layer),
      total: totals[l]!,
      lastHalf,
      hurtingSegments: columns[l]!.filter((a) => a > 0).length / segments,
      reason: reasonOf(totals[l]!, lastHalf, allHelp),
    };
  });
}

function opposedOf(totals: Float64Array, heldOut: Float64Array): number | null {
  let [moved, opposed] = [0, 0];
  totals.forEach((total, k) => {
    moved += Number(total !== 0);
    opposed += Number(total < 0 && heldOut[k]! > 0);
  });
  return moved > 0 ? opposed / moved : null;
}

const difference = (a: Float64Array, b: Float64Array): Float64Array => a.map((value, k) => value - b[k]!);

function layersOf(context: ThemeContext, heldOut: string): OverfitLayer[] {
  return context.view.layout.layers.map((layer, l) => {
    const [total, other] = [sum(columnOf(context, context.objective, l)), sum(columnOf(context, heldOut, l))];
    return { layer, total, heldOut: other, difference: total - other };
  });
}

/** Watches what the held-out loss does. */
export function watchUse(context: ThemeContext): Watcher<UseAnalysis> {
  const { view, objective, heldOut, has, totals } = context;
  const { layout } = view;
  const parameters = has('heldOutAllocation') && totals !== null ? summing(layout.size) : null;
  const width = layout.neurons.reduce((total, count) => total + count, 0);
  const byNeuron = has('heldOutNeurons') && has('neurons') && width > 0;
  const neurons = byNeuron ? ([summing(width), summing(width)] as const) : null;
  const overfitting = (): Overfitting => ({
    objective,
    heldOut: heldOut!,
    layers: layersOf(context, heldOut!),
    neurons: neurons && extremeNeurons(layout, difference(neurons[0].totals, neurons[1].totals)),
    parameters: parameters && extremeParameters(layout, difference(totals!, parameters.totals)),
    opposed: parameters && opposedOf(totals!, parameters.totals),
  });
  return {
    passes: [
      {
        ...(parameters ? { heldOutAllocation: parameters.add } : {}),
        ...(neurons ? { neurons: neurons[0].add, heldOutNeurons: neurons[1].add } : {}),
      },
    ],
    finish: () => ({ freeze: freezeOf(context), overfitting: heldOut === null ? null : overfitting() }),
  };
}
