import { parseArgs } from 'node:util';
import { UsageError } from '../../src/errors.js';
import { experimentOf } from '../../src/experiment/manifest.js';
import { openRun } from '../../src/store/open.js';
import { integrationErrors, roundingErrors } from './calibrate.js';

/*
 * lca train mnist-fc-sgd --iterations 312 --subset 2750 --out RUN
 * npm run bench:certainty -- RUN --segments 0,5,300
 *
 * Measures how good the error bounds of single allocations are: how often the bound holds, and how often a sign that it calls certain is
 * another, against Simpson on 32 subintervals; and how far the engine's gradients are from the reference engine's, relative to the root
 * mean square of their tensor. Choose a run with few examples: the reference engine is slow.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { segments: { type: 'string', default: '0,5' }, rounding: { type: 'boolean', default: true } },
  allowNegative: true,
});
const [folder] = positionals;
if (folder === undefined) {
  throw new UsageError({ given: 'no run', expected: 'a run folder', remedy: 'make one with lca train' });
}
const run = await openRun(folder);
const segments = values.segments.split(',').map(Number);
const experiment = await experimentOf(run);
const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

print('| rule | bound holds | undetermined | certain but of another sign |\n| --- | --- | --- | --- |');
for (const { rule, held, undetermined, wrong } of await integrationErrors(run, experiment, segments)) {
  print(`| ${[rule, percent(held), percent(undetermined), percent(wrong)].join(' | ')} |`);
}
if (values.rounding) {
  const quantiles = await roundingErrors(run, experiment, segments);
  for (const { share, error } of quantiles)
    print(`${percent(share)} of the entries are off by at most 2^${Math.log2(error).toFixed(1)}`);
}
