import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { analyseRun } from '../../src/analysis/run.js';
import { checkConfig } from '../../src/experiment/config/file.js';
import { openExperiment } from '../../src/experiment/experiment.js';
import { manifestOf } from '../../src/experiment/manifest.js';
import { coverageSentences, leftOutSentences } from '../../src/figures/coverage.js';
import { passedTensors } from '../../src/trajectory/passed.js';
import { temporaryFolder } from '../support/cli.js';
import { npzFile } from '../support/npz.js';
import { syntheticView } from '../support/synthetic-view.js';
import { writeTokenRun } from '../support/token-network.js';

it('what a recording and its model have beside θ is in the manifest, with how far it moved', async () => {
  const folder = temporaryFolder();
  const { files, rows, theta } = writeTokenRun(folder, 3);
  const kernels = Float32Array.from({ length: rows * 12 }, (_, k) => theta(Math.floor(k / 12))[k % 12]!);
  const extra = Float32Array.of(0, 0, 3, 4, 3, 3);
  const trajectory = join(folder, 'part.npz');
  const arrays = {
    'w.weight': { data: kernels, shape: [rows, 3, 4] },
    other: { data: extra, shape: [rows, 2] },
  };
  writeFileSync(trajectory, npzFile(arrays));
  const config = { ...files, trajectory, rest: 'frozen', ignore: ['other'], engine: 'reference' } as const;
  const experiment = await openExperiment(checkConfig(config, 'the test'));
  expect(manifestOf(experiment).leftOut).toEqual([
    { name: 'u.weight', numbers: 24, why: 'held constant', motion: 0 },
    { name: 'other', numbers: 2, why: 'not in the model', motion: 25 + 1 },
  ]);
  // Of a recording that grows the motion so far would be taken for all.
  expect(await passedTensors(trajectory, { ignore: ['other'], follow: true })).toEqual([
    { name: 'other', numbers: 2, motion: null },
  ]);
});

it('shares are of parameters, of motion and of the loss’s change', async () => {
  const view = syntheticView({ segments: 8, layers: { a: 30, b: 10 } });
  const norms = [Float64Array.of(3, 4), Float64Array.of(0, 5)];
  const rowsOf = async function* () { yield* await Promise.resolve(norms); }; // prettier-ignore
  const known = { ...view, rows: (...[name, ...rest]: Parameters<typeof view.rows>) => (name === 'motion_norm' ? rowsOf() : view.rows(name, ...rest)) }; // prettier-ignore
  const leftOut = [
    { name: 'base', numbers: 60, why: 'held constant', motion: 0 },
    { name: 'mask', numbers: 16, why: 'constant', motion: 0 },
    { name: 'other', numbers: 5, why: 'not in the model', motion: 150 },
  ] as const;
  const { coverage, objectives } = await analyseRun(known, { leftOut });
  expect(coverage.parameters).toEqual({ accounted: 40, all: 100, share: 0.4 });
  expect(coverage.motion).toEqual({ accounted: 50, all: 200, share: 0.25 });
  const { chosen, lossChange } = objectives[0]!.conservation;
  expect(coverage.lossChange[0]).toEqual({ objective: 'train', accounted: chosen.allocations, all: lossChange, share: chosen.allocations / lossChange }); // prettier-ignore
  expect(coverageSentences(coverage, 'nats').join(' ')).toMatch(
    /40 of 100 parameters \(40.00 %\).*25.00 % of the known motion/,
  );
  // Motion of all steps is no measure of that of the first ones, and one that is not known is none.
  const unknown = leftOut.map((own) => ({ ...own, motion: own.name === 'other' ? null : own.motion }));
  for (const options of [{ leftOut, iterations: 9 }, { leftOut: unknown }]) {
    const { coverage: partial } = await analyseRun(known, options);
    expect(partial.motion).toBeNull();
    expect(coverageSentences(partial, 'nats').join(' ')).toMatch(
      /40 of 100.*share of all motion they made is not known/,
    );
  }
  expect(leftOutSentences(coverage)).toEqual([
    'Held constant, as the model file has it: base (60)',
    'Constants of the network, such as masks, tables and buffers: mask (16)',
    'Recorded and passed over: other (5)',
  ]);
});
