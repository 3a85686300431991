import type { ThemeContext, Watcher } from '../themes/sweep.js';
import { type Extreme, extremeParameters } from '../rows/extremes.js';

/** A parameter that stands out, over time. */
export interface ParameterPath extends Extreme {
  /** Weight at each row of θ [T + 1]; null where θ could not be read. */
  readonly weight: readonly number[] | null;
  /** Its allocations added up so far, in the loss's unit [T + 1]. */
  readonly cumulative: readonly number[];
}

/** The parameters that lowered and raised the loss most (paper Figures S2 and S8). */
export interface ParameterPaths {
  readonly helped: readonly ParameterPath[];
  readonly hurt: readonly ParameterPath[];
}

const shown = 3;

/** A parameter's place in θ, and its curves as they grow. */
interface Growing {
  readonly extreme: Extreme;
  readonly k: number;
  readonly weight: number[];
  readonly cumulative: number[];
}

/** Watches those parameters' allocations and weights in the second pass; null where allocations were not kept. */
export function watchParameters({ view, has, totals }: ThemeContext): Watcher<ParameterPaths | null> {
  if (!has('allocation') || totals === null) return { passes: [], finish: () => null };
  const { layout } = view;
  const growing: { helped: Growing[]; hurt: Growing[] } = { helped: [], hurt: [] };
  const start = (extreme: Extreme): Growing => {
    const { offset, shape } = layout.tensors.find(({ name }) => name === extreme.tensor)!;
    const index = extreme.index.reduce((at, i, axis) => at * shape[axis]! + i, 0);
    return { extreme, k: offset + index, weight: [], cumulative: [0] };
  };
  const all = (): Growing[] => {
    if (growing.helped.length + growing.hurt.length === 0) {
      const { helped, hurt } = extremeParameters(layout, totals);
      growing.helped = helped.slice(0, shown).map(start);
      growing.hurt = hurt.slice(0, shown).map(start);
    }
    return [...growing.helped, ...growing.hurt];
  };
  const path = ({ extreme, weight, cumulative }: Growing): ParameterPath => ({
    ...extreme,
    weight: weight.length > 0 ? weight : null,
    cumulative,
  });
  return {
    passes: [
      {},
      {
        allocation: (row) => all().forEach(({ k, cumulative }) => cumulative.push(cumulative.at(-1)! + row[k]!)),
        ...(has('theta') ? { theta: (row) => all().forEach(({ k, weight }) => weight.push(row[k]!)) } : {}),
      },
    ],
    finish: () => ({ helped: growing.helped.map(path), hurt: growing.hurt.map(path) }),
  };
} // prettier-ignore
