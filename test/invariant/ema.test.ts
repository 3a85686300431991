import { expect, it } from 'vitest';
import { checkConfig } from '../../src/experiment/config/file.js';
import { openExperiment } from '../../src/experiment/experiment.js';
import { trajectory } from '../../src/run/steps.js';
import { temporaryFolder } from '../support/cli.js';
import { trainingOf, writeRecordedRun } from '../support/recorded.js';

const folder = temporaryFolder();
writeRecordedRun(folder, 2);

const settings = { ...trainingOf(folder), iterations: 4 };

async function rowsOf(change: object): Promise<Float32Array[]> {
  const rows: Float32Array[] = [];
  const experiment = await openExperiment(checkConfig({ ...settings, ...change }, 'the test'));
  for await (const { theta } of trajectory(experiment)) rows.push(theta.slice());
  return rows;
}

it('the trajectory of averaged weights is the average of the weights that are trained, which it leaves alone', async () => {
  const weights = await rowsOf({});
  const averages = await rowsOf({ ema: 0.75 });
  expect(averages[0]).toEqual(weights[0]);
  expect(averages[1]).toEqual(weights[1]);
  let average = Float64Array.from(weights[1]!);
  for (const [t, row] of [...weights.entries()].slice(2)) {
    average = average.map((value, k) => 0.75 * value + 0.25 * row[k]!);
    const worst = averages[t]!.reduce((most, value, k) => Math.max(most, Math.abs(value - average[k]!)), 0);
    expect(worst).toBeLessThan(1e-7);
  }
  expect(averages.at(-1)).not.toEqual(weights.at(-1));
});

it('is not measured by components, which are of the weights', async () => {
  await expect(rowsOf({ ema: 0.9, components: true })).rejects.toThrow('ema 0.9 together with components');
});
