import { expect, it } from 'vitest';
import { checkConfig } from '../config/file.js';
import { estimateRun } from './estimate.js';
import { openExperiment } from '../experiment.js';

it('counts starting, training, measuring and analysing', async () => {
  const config = { subset: 100, batchSize: 20, chunk: 50, iterations: 10, engine: 'onnxruntime' } as const;
  const experiment = await openExperiment(checkConfig(config, 'the test'));
  const whole = await estimateRun(experiment, { measure: true, workers: 1 });
  for (const part of Object.values(whole.parts)) expect(part).toBeGreaterThan(0);
  const { starting, training, measuring, analysing } = whole.parts;
  expect(whole.seconds).toBeCloseTo(starting + training + measuring + analysing, 9);
  const trained = await estimateRun(experiment, { measure: false, workers: 1 });
  expect(trained.parts).toMatchObject({ measuring: 0, analysing: 0 });
  expect(trained.parts.training).toBeGreaterThan(0);
});
