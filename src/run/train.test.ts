import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/cli.js';
import { trainingOf, writeRecordedRun } from '../../test/support/recorded.js';
import { lastingOf } from '../../test/support/run-folder.js';
import { checkConfig } from '../experiment/config/file.js';
import { beside, RowGate, silent } from '../experiment/control.js';
import { openExperiment } from '../experiment/experiment.js';
import { createRun } from '../experiment/manifest.js';
import { measureRun } from './measure.js';
import { trainRun } from './train.js';

const folder = temporaryFolder();
writeRecordedRun(folder, 2);

const settings = { ...trainingOf(folder), iterations: 30, measure: ['train'] };

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

it('measures no more of the rows that are there once training has failed', async () => {
  const experiment = await openExperiment(checkConfig(settings, 'the test'));
  const run = await createRun(join(folder, 'failing'), experiment);
  await trainRun(experiment, run);
  const gate = new RowGate();
  gate.stored(settings.iterations);
  let fail: (error: Error) => void = () => undefined;
  const after = new Promise<void>((_, reject) => (fail = reject));
  const progress = { ...silent, update: () => { fail(new Error('diverged')); } }; // prettier-ignore
  await expect(measureRun(experiment, run, { workers: 1, after, gate, progress })).rejects.toThrow('diverged'); // prettier-ignore
  expect(run.status.segments).toBeLessThan(settings.iterations);
  await run.close();
});

it('refuses a network whose names turn text around, by the name and before anything is made', async () => {
  const experiment = await openExperiment(checkConfig(settings, 'the test'));
  const [first, ...rest] = experiment.layout.tensors;
  const tensors = [{ ...first!, name: 'a\u202eb.weight' }, ...rest];
  const made = createRun(join(folder, 'turned'), {
    ...experiment,
    layout: { ...experiment.layout, tensors },
  });
  await expect(made).rejects.toThrow(
    /a parameter or layer "a\\u\{202e\}b\.weight" of [^]*rename it in the model file/,
  );
  expect(existsSync(join(folder, 'turned'))).toBe(false);
});
