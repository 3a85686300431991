import { parseArgs } from 'node:util';
import { UsageError } from '../../src/errors.js';
import { experimentOf } from '../../src/experiment/manifest.js';
import { openRun } from '../../src/store/open.js';
import { type Comparison, compareRules } from './compare.js';

/*
 * lca train mnist-fc-sgd --iterations 312 --out RUN
 * npm run bench:rules -- RUN --segments 0:12,300:312
 *
 * Measures segments of a trained run by every rule at several numbers of gradients, and compares with composite Simpson on many points:
 * mean abs(residual), distance of single allocations, and signs that differ. Where rules share points, these are evaluated once.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { segments: { type: 'string', default: '0:12' }, truth: { type: 'string', default: '16' } },
});

/** Segments of ranges such as `0:12,300:312`. Throws UsageError. */
function segmentsOf(text: string): number[] {
  return text.split(',').flatMap((range) => {
    const [from, to] = range.split(':').map(Number) as [number, number];
    if (!(from >= 0 && to > from)) {
      throw new UsageError({
        given: `segments ${range}`,
        expected: 'FROM:TO',
        remedy: 'write ranges such as 0:12,300:312',
      });
    }
    return Array.from({ length: to - from }, (_, k) => from + k);
  });
}

function line({ rule, subintervals, gradients, residual, distance, signs }: Comparison): string {
  const cells = [gradients.toFixed(1), rule, String(subintervals), residual.toExponential(1)];
  return `| ${[...cells, `${(100 * distance).toFixed(2)} %`, `${(100 * signs).toFixed(2)} %`].join(' | ')} |`;
}

const [folder] = positionals;
if (folder === undefined) {
  throw new UsageError({ given: 'no run', expected: 'a run folder', remedy: 'make one with lca train' });
}
const run = await openRun(folder);
const segments = segmentsOf(values.segments);
const rows = await compareRules(run, await experimentOf(run), { segments, truth: Number(values.truth) });
process.stdout.write(
  '| gradients | rule | subintervals | mean residual | distance | signs that differ |\n| --- | --- | --- | --- | --- | --- |\n',
);
for (const row of rows) process.stdout.write(`${line(row)}\n`);
