import { afterAll, describe, expect, it } from 'vitest';
import { measuredRun } from '../../../test/support/measured-run.js';
import { temporaryFolder } from '../../../test/support/run-folder.js';
import type { RuleName } from '../../quadrature/types.js';
import { createRunFolder, openRun } from '../../store/open.js';
import { checkConfig } from '../../experiment/config/file.js';
import type { RunConfigInput } from '../../experiment/config/schema.js';
import { type Experiment, openExperiment } from '../../experiment/experiment.js';
import type { ManifestContent } from '../../format/manifest.js';
import { manifestOf } from '../../experiment/manifest.js';
import { verifyFolder } from '../verify.js';

const quiet = { start: () => undefined, update: () => undefined, stop: () => undefined };
const small = { subset: 40, batchSize: 20, iterations: 2, engine: 'reference', keep: 'neurons' } as const;
const open = (change: RunConfigInput = {}): Promise<Experiment> =>
  openExperiment(checkConfig({ ...small, ...change }, 'the test'));
const places: ReturnType<typeof temporaryFolder>[] = [];
afterAll(() => {
  for (const place of places) place.remove();
});

/** A run whose segments say that they were measured with Simpson's rule, and were with `rule`. */
async function runMeasuredWith(
  rule: RuleName,
  experiment: Experiment,
  manifest: Partial<ManifestContent> = {},
): Promise<string> {
  const place = temporaryFolder();
  places.push(place);
  await measuredRun(place.run, experiment, { rule, manifest });
  return place.run;
}

function verify(folder: string, sample: number) {
  return verifyFolder(folder, { sample, workers: 1, checking: quiet, recomputing: quiet });
}

describe('recomputing a sample', () => {
  it('finds nothing where the stored numbers are right', async () => {
    const folder = await runMeasuredWith('simpson', await open());
    const { findings, facts } = await verify(folder, 5);
    expect(findings).toEqual([]);
    expect(facts.at(-1)).toMatch(
      /^2 segments recomputed in float64; largest deviations: allocations 0\.0e\+0 /,
    );
  });

  it('finds wrong numbers that balance', async () => {
    const folder = await runMeasuredWith('trapezoid', await open());
    expect((await verify(folder, 0)).findings).toEqual([]);
    const { findings } = await verify(folder, 5);
    expect(findings.map(({ where }) => where)).toEqual(['segment 0', 'segment 1']);
    expect(findings[0]!.what).toMatch(/differs from the reference engine: allocations [1-9]/);
  });

  it('finds wrong numbers of an engine in float32, too', async () => {
    const folder = await runMeasuredWith('left', await open({ engine: 'onnxruntime' }));
    const { findings } = await verify(folder, 2);
    expect(findings.map(({ where }) => where)).toEqual(['segment 0', 'segment 1']);
  });

  it('takes deviations relative to the losses, however large', async () => {
    const classWeights = new Array<number>(10).fill(1e8);
    const folder = await runMeasuredWith('simpson', await open({ engine: 'onnxruntime', classWeights, maxLoss: null, learningRate: 1e-10 })); // prettier-ignore
    expect((await verify(folder, 2)).findings).toEqual([]);
  });

  it('takes what float32 cannot tell of a network that is nearly always right', async () => {
    const trained = { engine: 'onnxruntime', iterations: 60, learningRate: 0.1, momentum: 0.9 } as const;
    const { findings, facts } = await verify(await runMeasuredWith('simpson', await open(trained)), 3);
    expect(findings).toEqual([]);
    // Relative to losses of about 1e-4, what stands behind the seventh digit of 1 is much.
    expect(Number(/losses (\S+)/.exec(facts.at(-1)!)![1])).toBeGreaterThan(1e-5);
  });

  it('needs not the engine that measured', async () => {
    const engine = { name: 'onnxruntime-cuda', version: 'of another machine' };
    const folder = await runMeasuredWith('simpson', await open(), { engine });
    expect((await verify(folder, 1)).findings).toEqual([]);
  });

  it('says so where nothing is measured', async () => {
    const place = temporaryFolder();
    places.push(place);
    await (await createRunFolder(place.run, manifestOf(await open()))).close();
    expect((await openRun(place.run)).status.segments).toBe(0);
    expect((await verify(place.run, 3)).facts.at(-1)).toMatch(/no segment is measured yet/);
  });
});
