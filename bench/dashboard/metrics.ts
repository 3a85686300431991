import type { Page } from 'playwright-core';

/** Milliseconds of the main thread's processor since reading began. */
export interface Used {
  /** In scripts, their compilation included. */
  readonly script: number;
  /** In all: scripts, styles, layout, painting. */
  readonly tasks: number;
}

/** Reads what a page's main thread took, by Chromium's own counters. */
export async function metricsOf(page: Page): Promise<{ readonly read: () => Promise<Used> }> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const now = async (): Promise<Used> => {
    const { metrics } = await session.send('Performance.getMetrics');
    const of = (name: string) => 1000 * (metrics.find((metric) => metric.name === name)?.value ?? NaN);
    return { script: of('ScriptDuration'), tasks: of('TaskDuration') };
  };
  const before = await now();
  return {
    read: async () => {
      const after = await now();
      return { script: after.script - before.script, tasks: after.tasks - before.tasks };
    },
  };
}

/** Throws TypeError for what is no number. */
export function expectNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  throw new TypeError(`${String(value)} is no number`);
}
