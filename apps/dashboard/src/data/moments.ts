import { MomentWatch } from 'lossledger/analysis';
import type { ObjectiveData } from './load';
import type { PartRows } from './rows';

/** A moment of learning: a segment at which a curve has one of its 20 lowest minima below zero. */
export interface Dot {
  readonly t: number;
  readonly layer: number;
  /** Index of a part; 0 where the objective is not divided. */
  readonly part: number;
  readonly value: number;
  /** Whether all layers have a moment there (of the same part). */
  readonly synchronised: boolean;
}

/** Moments of every layer, and of every part where sums of parts are there. */
export function momentsOf(own: ObjectiveData, parts: PartRows | null, layers: number): Dot[] {
  const groups = parts?.names.length ?? 1;
  const [values, width] = parts === null ? [own.layerSums, layers] : [parts.values, parts.width];
  const watch = new MomentWatch(width);
  for (let at = 0; at < values.length; at += width) watch.add(values.subarray(at, at + width));
  const found = watch.moments();
  return Array.from({ length: groups }, (_, part) => {
    const own = found.slice(part * layers, (part + 1) * layers);
    const counts = new Map<number, number>();
    for (const { t } of own.flat()) counts.set(t, (counts.get(t) ?? 0) + 1);
    return own.flatMap((moments, layer) =>
      moments.map(({ t, value }) => ({
        t,
        layer,
        part,
        value,
        synchronised: layers > 1 && counts.get(t) === layers,
      })),
    );
  }).flat();
}
