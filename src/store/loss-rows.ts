import type { Manifest } from './manifest.js';
import type { SegmentRecord } from './records.js';

/** Losses by row of θ: a segment ends with the loss that the next one starts with, whichever process measured them. */
export class LossRows {
  /** [T+1] by split; NaN where no segment has told yet. */
  readonly #splits: ReadonlyMap<string, Float64Array>;

  constructor({ splits, trajectory }: Manifest) {
    const rows = trajectory.iterations + 1;
    this.#splits = new Map(splits.map((split) => [split, new Float64Array(rows).fill(NaN)]));
  }

  /** Takes a segment's losses, and returns where they differ from what its neighbours stated. */
  contradictions({ segment, splits }: SegmentRecord): { readonly row: number; readonly what: string }[] {
    return Object.entries(splits).flatMap(([split, { loss }]) =>
      loss.flatMap((value, end) => {
        const rows = this.#splits.get(split)!;
        const row = segment + end;
        const known = rows[row]!;
        rows[row] = value;
        if (Number.isNaN(known) || known === value) return [];
        const what = `states two losses of row ${row}: ${known} and ${value} (${split}, segment ${segment})`;
        return [{ row, what }];
      }),
    );
  }
}
