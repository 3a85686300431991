import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/cli.js';
import { writeRecordedRun } from '../../test/support/recorded.js';
import { lastingOf } from '../../test/support/run-folder.js';
import { checkConfig } from '../experiment/config/file.js';
import { beside, RowGate } from '../experiment/control.js';
import { openExperiment } from '../experiment/experiment.js';
import { createRun } from '../experiment/manifest.js';
import { measureRun } from './measure.js';
import { trainRun } from './train.js';

const folder = temporaryFolder();
writeRecordedRun(folder, 2);

const settings = {
  model: join(folder, 'model.onnx'),
  data: join(folder, 'data.npz'),
  divisor: 1,
  batchSize: 20,
  iterations: 30,
  learningRate: 0.2,
  measure: ['train'],
  engine: 'reference',
} as const;

/** What lasts of a run that is measured while it is trained, or without a gate after that. */
async function filesOfRun(name: string, gate?: RowGate): Promise<Record<string, string>> {
  const experiment = await openExperiment(checkConfig(settings, 'the test'));
  const run = await createRun(join(folder, name), experiment);
  await beside(
    (signal) => trainRun(experiment, run, { signal, stored: (row) => gate?.stored(row) }),
    (after) => measureRun(experiment, run, { workers: 1, after, gate }),
  );
  await run.close();
  return lastingOf(join(folder, name));
}

it('lets rows be measured while others are trained: the same run', async () => {
  const together = await filesOfRun('together', new RowGate());
  expect(Object.keys(together).length).toBeGreaterThan(20);
  expect(together).toEqual(await filesOfRun('apart'));
});

it('measures nothing more where training diverges', async () => {
  const experiment = await openExperiment(checkConfig({ ...settings, maxLoss: 1e-3 }, 'the test'));
  const run = await createRun(join(folder, 'diverging'), experiment);
  const gate = new RowGate();
  const training = beside(
    (signal) => trainRun(experiment, run, { signal, stored: (row) => { gate.stored(row); } }),
    (after) => {
      after.catch((error: unknown) => { gate.fail(error); });
      return measureRun(experiment, run, { workers: 1, after, gate });
    },
  ); // prettier-ignore
  await expect(training).rejects.toThrow(/training diverged in iteration 0/);
  await run.close();
});
