import type { ThemeContext, Watcher } from '../themes/sweep.js';

/** Neurons of a layer by time: allocations in equal stretches of the run. */
export interface NeuronMap {
  readonly layer: string;
  /** Number of each row's neuron within the layer: all, or those with the largest Σ abs(cells). */
  readonly neurons: readonly number[];
  readonly of: number;
  /** Σ of a neuron's allocations in a stretch, in the loss's unit [neurons][stretches]. */
  readonly cells: readonly (readonly number[])[];
}

/** Neurons × time of every layer that has neurons (paper Section S2). */
export interface NeuronMaps {
  /** Iterations at which stretches begin, and where the last ends [stretches + 1]. */
  readonly edges: readonly number[];
  readonly layers: readonly NeuronMap[];
}

const stretches = 60;
const rowLimit = 100;

/** Watches sums by neuron; null where they were not kept. */
export function watchNeuronMaps({ view, has }: ThemeContext): Watcher<NeuronMaps | null> {
  if (!has('neurons')) return { passes: [], finish: () => null };
  const { layout, segments, iteration } = view;
  const count = Math.min(stretches, segments);
  const width = layout.neurons.reduce((sum, own) => sum + own, 0);
  const cells = new Float64Array(width * count);
  return {
    passes: [
      {
        neurons(row, t) {
          const stretch = Math.floor((t * count) / segments);
          for (let n = 0; n < width; n++) cells[n * count + stretch]! += row[n]!;
        },
      },
    ],
    finish() {
      let first = 0;
      const edges = Array.from(
        { length: count + 1 },
        (_, s) => iteration[Math.ceil((s * segments) / count)]!,
      );
      const layers = layout.layers.flatMap((layer, l) => {
        const own = layout.neurons[l]!;
        const rows = Array.from({ length: own }, (_, n) => [...cells.subarray((first + n) * count, (first + n + 1) * count)]); // prettier-ignore
        first += own;
        return own === 0 ? [] : [largestRows(layer, rows)];
      });
      return { edges, layers };
    },
  };
}

function largestRows(layer: string, rows: readonly number[][]): NeuronMap {
  const size = rows.map((row) => row.reduce((sum, value) => sum + Math.abs(value), 0));
  const kept = [...rows.keys()].sort((a, b) => size[b]! - size[a]! || a - b).slice(0, rowLimit).sort((a, b) => a - b); // prettier-ignore
  return { layer, neurons: kept, of: rows.length, cells: kept.map((n) => rows[n]!) };
}
