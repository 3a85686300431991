import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isLossledgerError, UsageError } from '../../src/errors.js';
import { documentOf, type Cost } from './document.js';
import { writeGallery } from './gallery.js';
import { costOf, isDone, lca, perform, remembered } from './perform.js';
import { type Group, groups, inFull, type Step, steps } from './plan.js';
import { resultOf, resultsOf } from './results.js';

/*
 * npm run reproduce [-- --only fc,cnn,sections] [--out FOLDER] [--dry-run] [--document]
 * npm run gallery [-- --out FOLDER]
 *
 * Runs the paper's experiments as far as the plan goes, and writes docs/REPRODUCTION.md and docs/GALLERY.md. What is done is not done again.
 * `--document` runs nothing, and writes what is there; `--gallery` writes the gallery alone.
 */
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: groups.join(',') },
    out: { type: 'string', default: 'runs/reproduce' },
    'dry-run': { type: 'boolean', default: false },
    document: { type: 'boolean', default: false },
    gallery: { type: 'boolean', default: false },
  },
});

const docs = resolve(import.meta.dirname, '../../docs');
const place = resolve(values.out);
const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** Steps that were asked for. Throws UsageError. */
function chosenSteps(): Step[] {
  const only = values.only.split(',');
  const unknown = only.find((name) => !groups.includes(name as Group));
  if (unknown === undefined) return steps.filter(({ group }) => only.includes(group));
  throw new UsageError({
    given: `--only ${unknown}`,
    expected: `some of ${groups.join(', ')}`,
    remedy: 'leave --only out to do everything',
  });
}

/** States the cost of what is not done, and does it. */
async function work(): Promise<void> {
  const pending: Step[] = [];
  for (const step of chosenSteps()) if (!(await isDone(step, place))) pending.push(step);
  for (const step of pending) say(`${step.name}: ${await costOf(step, place)}`);
  if (pending.length === 0) say('Everything is done that was asked for.');
  if (values['dry-run']) return;
  for (const step of pending) await perform(step, place);
}

/** Costs in full are measured once, and kept. */
const fullCosts = (): Promise<Cost[]> =>
  remembered(place, 'costs', async () => {
    const costs: Cost[] = [];
    for (const args of inFull) {
      const estimate = lca([...args, '--out', join(place, 'none'), '--dry-run'], true);
      const cost = await estimate.then(
        (text) => text.trim().split('\n').at(-1)!,
        () => 'no estimate: it did not come to its end',
      );
      costs.push({ command: `lca ${args.join(' ')}`, cost });
    }
    return costs;
  });

/** Writes the documents from what is done. */
async function write(): Promise<void> {
  const [shown] = steps;
  if (!values.gallery) {
    const results = await resultsOf(place);
    await writeFile(join(docs, 'REPRODUCTION.md'), documentOf(results, await fullCosts()));
    say('docs/REPRODUCTION.md written');
  }
  if (await isDone(shown!, place)) {
    await writeGallery(await resultOf(shown!, place), place, docs);
    say('docs/GALLERY.md written');
  }
}

try {
  if (!values.document && !values.gallery) await work();
  if (!values['dry-run']) await write();
} catch (error) {
  if (!isLossledgerError(error)) throw error;
  say(`reproduce: ${error.message}`);
  process.exitCode = error.exitCode;
}
