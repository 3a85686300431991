import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { LedgerRow } from '../../src/ledger/columns.js';
import type { MeasuredSegment } from '../../src/ledger/measure-range.js';
import { requirePlan } from '../../src/run/cluster/plan.js';
import { openRun } from '../../src/store/open.js';
import { plannedManifest, plannedRun, publishPart } from './parts.js';
import { completeRun, lastingOf, segmentOf, temporaryFolder } from './run-folder.js';

/** Segments of the run, in four tasks: from 0, 4, 7 and 11. */
export const T = 14;
export const manifest = plannedManifest(T);

/** For each test a copy of a planned run of which nothing is measured. */
export class PlannedRuns {
  readonly #origin = temporaryFolder();
  #place = this.#origin;
  readonly #whole: Record<string, string> = {};

  /** To be made once by a file of tests, at its top. */
  constructor() {
    beforeAll(async () => {
      await plannedRun(this.#origin.run, manifest, 4);
      const folder = join(this.#origin.parent, 'whole');
      await completeRun(folder, manifest);
      Object.assign(this.#whole, ledgerOf(folder));
    });
    beforeEach(() => {
      this.#place = temporaryFolder();
      cpSync(this.#origin.run, this.run, { recursive: true });
    });
    afterEach(() => {
      this.#place.remove();
    });
    afterAll(() => {
      this.#origin.remove();
    });
  }

  /** The run of this test. */
  get run(): string {
    return this.#place.run;
  }

  /** The folder that it is in. */
  get parent(): string {
    return this.#place.parent;
  }

  /** Digests of what a single process makes of it. */
  get whole(): Readonly<Record<string, string>> {
    return this.#whole;
  }

  /** Publishes all parts. */
  async publishAll(): Promise<void> {
    const { tasks } = await requirePlan(await openRun(this.run));
    for (const { task } of tasks) await publishPart(this.run, manifest, task);
  }
}

/** Digests of what must be as one process makes it. */
export function ledgerOf(folder: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(lastingOf(folder)).filter(([path]) => !/^(plan|parts)\//.test(path)),
  );
}

/** A segment with other numbers in the row of its first objective. */
export function changed(segment: number, change: (row: LedgerRow) => Partial<LedgerRow>): MeasuredSegment {
  const { rows } = segmentOf(manifest, segment);
  return { segment, rows: [{ ...rows[0]!, ...change(rows[0]!) }, ...rows.slice(1)] };
}

/** A segment whose losses are larger by a share of them; it balances. */
export function shifted(segment: number, share: number): MeasuredSegment {
  return changed(segment, ({ loss, total }) => {
    const [start, end] = [loss[0]! * (1 + share), loss[1]! * (1 + share)];
    return { loss: [start, end], residual: total - (end - start) };
  });
}
