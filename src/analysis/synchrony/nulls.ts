import { fold, key, uniform } from '../../num/random.js';
import { sum } from '../../num/sums.js';

/** Segments of the moments of each layer [layers][moments], ascending. */
export type LayerMoments = readonly (readonly number[])[];

/** What chance gives where layers do not wait for one another. */
export interface NullModel {
  /** Mean number of synchronised iterations. */
  readonly mean: number;
  /** Probability of at least as many as were found. */
  readonly p: number;
  /** All shifts were counted; else some were drawn, and p = (r + 1) / (n + 1). */
  readonly exact: boolean;
  /** Probability by number of synchronised iterations. */
  readonly distribution: readonly number[];
}

const shifts = [-2, -1, 1, 2];
/** Most combinations of shifts that are counted one by one. */
const enumerationLimit = 4096;
const draws = 2000;
/** Farthest circular shift, in segments. */
const circularReach = 10;

/** Iterations at which all layers have a moment, when layer l's are `offset(l)` later; with a period, round and round. */
function countAligned(
  layers: readonly ReadonlySet<number>[],
  offsets: readonly number[],
  period?: number,
): number {
  const place = (t: number): number => (period === undefined ? t : ((t % period) + period) % period);
  let count = 0;
  for (const t of layers[0]!) {
    const at = t + offsets[0]!;
    if (layers.every((own, l) => l === 0 || own.has(place(at - offsets[l]!)))) count++;
  }
  return count;
}

const setsOf = (layers: LayerMoments): ReadonlySet<number>[] => layers.map((moments) => new Set(moments));

/** Iterations at which every layer has a moment. */
export const synchronised = (layers: LayerMoments): number[] => {
  const [first, ...rest] = setsOf(layers);
  return [...(first ?? [])].filter((t) => rest.every((own) => own.has(t)));
};

/** Every way to shift each of some layers by −2, −1, 1 or 2. */
function allOffsets(layers: number): number[][] {
  return Array.from({ length: shifts.length ** layers }, (_, code) =>
    Array.from({ length: layers }, (_, l) => shifts[Math.floor(code / shifts.length ** l) % shifts.length]!),
  );
}

/** Random offsets [draws][layers], each of `choices`. */
function drawnOffsets(name: string, layers: number, choices: readonly number[]): number[][] {
  return Array.from({ length: draws }, (_, draw) =>
    [...uniform(fold(key(name), draw), layers)].map((u) => choices[Math.floor(u * choices.length)]!),
  );
}

const atLeast = (distribution: readonly number[], observed: number): number =>
  Math.min(1, sum(distribution.slice(observed)));

/** How often each number of synchronised iterations came, as probabilities. */
function distributionOf(counts: readonly number[]): number[] {
  const distribution = new Array<number>(Math.max(...counts) + 1).fill(0);
  for (const count of counts) distribution[count]! += 1 / counts.length;
  return distribution;
}

function modelOf(counts: readonly number[], observed: number, exact: boolean): NullModel {
  const reached = counts.filter((count) => count >= observed).length;
  return {
    mean: sum(counts) / counts.length,
    p: exact ? reached / counts.length : (reached + 1) / (counts.length + 1),
    exact,
    distribution: distributionOf(counts),
  };
}

/**
 * Each layer shifted independently by −2, −1, 1 or 2 segments, in all groups (classes) alike. Equal shifts keep everything, so p cannot
 * fall below 4 / 4^layers.
 */
export function shiftLayers(groups: readonly LayerMoments[], observed: number): NullModel {
  const layers = groups[0]!.length;
  const exact = shifts.length ** layers <= enumerationLimit;
  const offsets = exact ? allOffsets(layers) : drawnOffsets('shift layers', layers, shifts);
  const sets = groups.map(setsOf);
  const counts = offsets.map((own) => sum(sets.map((group) => countAligned(group, own))));
  return modelOf(counts, observed, exact);
}

/** The sum of two independent counts. */
function convolve(a: readonly number[], b: readonly number[]): number[] {
  const result = new Array<number>(a.length + b.length - 1).fill(0);
  a.forEach((x, i) => b.forEach((y, j) => (result[i + j]! += x * y)));
  return result;
}

/** Each layer of each group (class) shifted independently by −2, −1, 1 or 2 segments: the paper's baseline per class and layer. */
export function shiftCurves(groups: readonly LayerMoments[], observed: number): NullModel {
  const layers = groups[0]!.length;
  const exact = shifts.length ** layers <= enumerationLimit;
  if (!exact) return drawCurves(groups, observed, 'shift curves', shifts);
  const offsets = allOffsets(layers);
  const distribution = groups
    .map(setsOf)
    .map((sets) => distributionOf(offsets.map((own) => countAligned(sets, own))))
    .reduce(convolve, [1]);
  const mean = sum(distribution.map((p, count) => p * count));
  return { mean, p: atLeast(distribution, observed), exact, distribution };
}

/** Every layer of every group shifted independently and round the run by up to 10 segments: peaks that crowd early stay crowded. */
export function rotateCurves(groups: readonly LayerMoments[], observed: number, segments: number): NullModel {
  const reach = Math.min(circularReach, Math.floor((segments - 1) / 2));
  const choices = Array.from({ length: 2 * reach + 1 }, (_, i) => i - reach);
  return drawCurves(groups, observed, 'rotate curves', choices, segments);
}

function drawCurves(
  groups: readonly LayerMoments[],
  observed: number,
  name: string,
  choices: readonly number[],
  period?: number,
): NullModel {
  const counts = new Array<number>(draws).fill(0);
  groups.forEach((group, g) => {
    const sets = setsOf(group);
    drawnOffsets(`${name} ${g}`, group.length, choices).forEach((offsets, draw) => {
      counts[draw]! += countAligned(sets, offsets, period);
    });
  });
  return modelOf(counts, observed, false);
}
