import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mergeRun } from '../../src/run/cluster/merge.js';
import { planTasks, requirePlan, taskStates } from '../../src/run/cluster/plan.js';
import { referenceEngine } from '../../src/engines/reference/index.js';
import { openRun } from '../../src/store/open.js';
import { smallManifest } from '../../test/support/run-folder.js';
import { simulatePart, simulateRun, stillSegment } from './simulated.js';

/*
 * npm run bench:cluster -- --segments 1000000 --tasks 1000
 * npm run bench:cluster -- --segments 880 --tasks 8 --parameters 84060
 *
 * Plans, lists and merges a simulated run: wall and processor time of each, and the memory that the process took at most.
 */
const { values } = parseArgs({
  options: {
    segments: { type: 'string', default: '1000000' },
    tasks: { type: 'string', default: '1000' },
    parameters: { type: 'string', default: '11' },
    objectives: { type: 'string', default: '1' },
  },
});
const [segments, tasks, parameters, objectives] = [values.segments, values.tasks, values.parameters, values.objectives].map(Number) as [number, number, number, number]; // prettier-ignore
const parent = mkdtempSync(join(tmpdir(), 'lossledger-'));
const folder = join(parent, 'run');

/** Does something, and prints what it took. */
async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const [wall, busy] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(busy);
  const seconds = [(performance.now() - wall) / 1e3, user / 1e6, system / 1e6].map((value) => value.toFixed(2));
  process.stdout.write(`${what.padEnd(12)} wall ${seconds[0]!} s  user ${seconds[1]!} s  system ${seconds[2]!} s\n`);
  return result;
} // prettier-ignore

/** Inputs of each of ten neurons; the scale has what is left. */
const width = Math.floor((parameters - 1) / 10);

try {
  const content = smallManifest(
    segments,
    {
      engine: { name: 'reference', version: referenceEngine.version() },
      objectives: Array.from({ length: objectives }, (_, k) => ({ name: `objective${k}`, parts: [{ name: 'all', examples: 100 }] })),
    },
    [
      { name: 'fc1.weight', shape: [10, width], layer: 'fc1', neuronAxis: 0 },
      { name: 'fc1.scale', shape: [parameters - 10 * width], layer: 'fc1', neuronAxis: null },
    ],
  ); // prettier-ignore
  await timed('(train)', () => simulateRun(folder, content));
  await timed('plan', () => planTasks(folder, { tasks }));
  await timed('(work)', async () => {
    const run = await openRun(folder);
    const plan = await requirePlan(run);
    const still = stillSegment(run.context);
    for (const task of plan.tasks) await simulatePart(run, plan, task, still);
  });
  await timed('list', async () => {
    const run = await openRun(folder);
    return taskStates(run, await requirePlan(run));
  });
  const { merged, missing, refused } = await timed('merge', () => mergeRun(folder));
  process.stdout.write(
    `${merged.length} merged, ${missing.length} missing ${refused[0]?.what ?? ''}; at most ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB\n`,
  );
} finally {
  rmSync(parent, { recursive: true, force: true });
}
