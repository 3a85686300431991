import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fingerprint } from '../../test/support/cli.js';
import { lca, type Took } from './command.js';

/*
 * npm run bench:workers -- --iterations 60 --tasks 8 --threads 2,64
 *
 * What dividing a run costs: processor time of its tasks against that of one `lca measure`, how soon a worker measures, and what many threads take on this
 * machine. All results must have the same bytes.
 */
const { values } = parseArgs({
  options: {
    preset: { type: 'string', default: 'mnist-fc-sgd' },
    iterations: { type: 'string', default: '60' },
    tasks: { type: 'string', default: '8' },
    threads: { type: 'string', default: '2,64' },
  },
});
const parent = mkdtempSync(join(tmpdir(), 'lossledger-'));
const trained = join(parent, 'trained');

function say(what: string, { wall, busy, first, memory }: Took): void {
  const numbers = [`wall ${wall.toFixed(1)} s`, `processors ${busy.toFixed(1)} s`, `measures after ${first.toFixed(1)} s`, `${memory.toFixed(0)} MiB`]; // prettier-ignore
  process.stdout.write(`${what.padEnd(20)} ${numbers.join('  ')}\n`);
}

function copyOf(name: string): string {
  const run = join(parent, name);
  cpSync(trained, run, { recursive: true });
  return run;
}

try {
  await lca(['train', values.preset, '--iterations', values.iterations, '--out', trained]);
  // Compiled networks and the data are in the caches from here on.
  await lca(['measure', copyOf('warm'), '--segments', '0:1']);
  const whole = copyOf('whole');
  const single = await lca(['measure', whole]);
  say('lca measure', single);
  const expected = JSON.stringify(fingerprint(join(whole, 'ledger.zarr')));
  const check = (run: string) => {
    if (JSON.stringify(fingerprint(join(run, 'ledger.zarr'))) !== expected) throw new Error(`${run} differs`);
  };

  /** Divides a copy, works on it by command lines of so many tasks each, and merges. Seconds of processors in all. */
  const divided = async (name: string, tasks: number, works: readonly string[]): Promise<number> => {
    const run = copyOf(name);
    await lca(['plan', run, '--tasks', String(tasks)]);
    let busy = 0;
    for (const own of works) {
      const took = await lca(['work', run, '--task', own]);
      say(`task ${own} of ${tasks}`, took);
      busy += took.busy;
    }
    await lca(['merge', run]);
    check(run);
    return busy;
  };
  const tasks = Number(values.tasks);
  const alone = await divided('alone', 1, ['0']);
  const apart = await divided('apart', tasks, [...Array(tasks).keys()].map(String));
  const together = await divided('together', tasks, [`0-${tasks - 1}`]);
  for (const [what, busy] of [['a process each', apart], ['one process', together]] as const) {
    const [ofRun, ofTask] = [busy / single.busy, busy / alone];
    process.stdout.write(`${tasks} tasks, ${what}: ${ofRun.toFixed(2)} times lca measure, ${ofTask.toFixed(2)} times one task of all segments\n`);
  } // prettier-ignore

  for (const threads of values.threads.split(',')) {
    const run = copyOf(`threads-${threads}`);
    say(`${threads} threads`, await lca(['measure', run, '--workers', threads]));
    check(run);
  }
} finally {
  rmSync(parent, { recursive: true, force: true });
}
