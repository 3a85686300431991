import { afterAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/run-folder.js';
import type { RuleName } from '../quadrature/types.js';
import { createRunFolder, openRun } from '../store/open.js';
import { checkConfig } from '../experiment/config/file.js';
import { objectivePlan, openExperiment } from '../experiment/experiment.js';
import { manifestOf } from '../experiment/manifest.js';
import { measureRange } from '../ledger/measure-range.js';
import { Evaluator } from '../objective/evaluator.js';
import { trainRun } from './train.js';
import { verifyFolder } from './verify.js';

const quiet = { start: () => undefined, update: () => undefined, stop: () => undefined };
const experiment = await openExperiment(
  checkConfig({ subset: 40, batchSize: 20, iterations: 2, engine: 'reference', keep: 'neurons' }, 'the test'),
);
const places: ReturnType<typeof temporaryFolder>[] = [];
afterAll(() => {
  for (const place of places) place.remove();
});

/** A run whose segments say that they were measured with Simpson's rule, and were with `rule`; every sum and checksum fits. */
async function runMeasuredWith(rule: RuleName): Promise<string> {
  const place = temporaryFolder();
  places.push(place);
  const run = await createRunFolder(place.run, manifestOf(experiment));
  const evaluator = await Evaluator.start(objectivePlan(experiment), 1);
  try {
    await trainRun(experiment, run, { progress: quiet });
    const segments = measureRange({
      from: 0,
      to: 2,
      theta: (row) => run.theta(row),
      evaluate: (theta) => evaluator.evaluate(theta),
      settings: { ...experiment.config, rule, tolerance: null },
      layout: experiment.layout,
      precision: run.manifest.definition.precision,
    });
    for await (const segment of segments) {
      await run.commitSegment({ ...segment, rows: segment.rows.map((row) => ({ ...row, subintervals: 2 })) });
    }
    await run.flush();
  } finally {
    await evaluator.close();
    await run.close();
  }
  return place.run;
}

function verify(folder: string, sample: number) {
  return verifyFolder(folder, { sample, workers: 1, checking: quiet, recomputing: quiet });
}

describe('recomputing a sample', () => {
  it('finds nothing where the stored numbers are right', async () => {
    const folder = await runMeasuredWith('simpson');
    const { findings, facts } = await verify(folder, 5);
    expect(findings).toEqual([]);
    expect(facts.at(-1)).toMatch(
      /^2 segments recomputed in float64; largest deviations: allocations 0\.0e\+0 /,
    );
  });

  it('finds wrong numbers that balance', async () => {
    const folder = await runMeasuredWith('trapezoid');
    expect((await verify(folder, 0)).findings).toEqual([]);
    const { findings } = await verify(folder, 5);
    expect(findings.map(({ where }) => where)).toEqual(['segment 0', 'segment 1']);
    expect(findings[0]!.what).toMatch(/differs from the reference engine: allocations [1-9]/);
  });

  it('says so where nothing is measured', async () => {
    const place = temporaryFolder();
    places.push(place);
    await (await createRunFolder(place.run, manifestOf(experiment))).close();
    expect((await openRun(place.run)).status.segments).toBe(0);
    expect((await verify(place.run, 3)).facts.at(-1)).toMatch(/no segment is measured yet/);
  });
});
