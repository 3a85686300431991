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

  const divided = copyOf('divided');
  await lca(['plan', divided, '--tasks', values.tasks]);
  let busy = 0;
  for (let task = 0; task < Number(values.tasks); task++) {
    const took = await lca(['work', divided, '--task', String(task)]);
    say(`task ${task}`, took);
    busy += took.busy;
  }
  await lca(['merge', divided]);
  check(divided);
  process.stdout.write(`${values.tasks} tasks take ${(busy / single.busy).toFixed(3)} times the processor time of one run\n`); // prettier-ignore

  const together = copyOf('together');
  await lca(['plan', together, '--tasks', values.tasks]);
  const took = await lca(['work', together, '--task', `0-${Number(values.tasks) - 1}`]);
  say('one process', took);
  await lca(['merge', together]);
  check(together);
  process.stdout.write(
    `${values.tasks} tasks in one process take ${(took.busy / single.busy).toFixed(3)} times\n`,
  );

  for (const threads of values.threads.split(',')) {
    const run = copyOf(`threads-${threads}`);
    say(`${threads} threads`, await lca(['measure', run, '--workers', threads]));
    check(run);
  }
} finally {
  rmSync(parent, { recursive: true, force: true });
}
