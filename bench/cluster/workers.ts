import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fingerprint } from '../../test/support/cli.js';
import { lca, type Took } from './command.js';

/*
 * npm run bench:workers -- --iterations 60 --tasks 8 --rounds 5 --threads 2,64
 * npm run bench:workers -- --iterations 880 --tasks 8 --cases apart
 *
 * What dividing a run costs: processor time of its tasks against that of one `lca measure`, how soon a worker measures, and what many threads take on this
 * machine. All results must have the same bytes. Cases: `alone` (one task of all segments), `apart` (a process for each task), `together` (all tasks in one
 * process), `threads`. Of several rounds, which take turns, medians are compared.
 */
const { values } = parseArgs({
  options: {
    preset: { type: 'string', default: 'mnist-fc-sgd' },
    iterations: { type: 'string', default: '60' },
    tasks: { type: 'string', default: '8' },
    cases: { type: 'string', default: 'alone,apart,together,threads' },
    rounds: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2,64' },
  },
});
const parent = mkdtempSync(join(tmpdir(), 'lossledger-'));
const trained = join(parent, 'trained');

function say(what: string, { wall, busy, first, memory }: Took): void {
  const numbers = [`wall ${wall.toFixed(1)} s`, `processors ${busy.toFixed(1)} s`, `measures after ${first.toFixed(1)} s`, `${memory.toFixed(0)} MiB`]; // prettier-ignore
  process.stdout.write(`${what.padEnd(20)} ${numbers.join('  ')}\n`);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
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
  const tasks = Number(values.tasks);
  const cases = values.cases.split(',');
  let expected = '';
  const check = (run: string) => {
    const found = JSON.stringify(fingerprint(join(run, 'ledger.zarr')));
    if (found !== (expected ||= found)) throw new Error(`${run} differs`);
    rmSync(run, { recursive: true });
  };

  /** Divides a copy, works on it by command lines of so many tasks each, and merges. Seconds of processors in all. */
  const divided = async (name: string, count: number, works: readonly string[]): Promise<number> => {
    const run = copyOf(name);
    await lca(['plan', run, '--tasks', String(count)]);
    let busy = 0;
    for (const own of works) {
      const took = await lca(['work', run, '--task', own]);
      say(`task ${own} of ${count}`, took);
      busy += took.busy;
    }
    await lca(['merge', run]);
    check(run);
    return busy;
  };
  const measured = async (): Promise<number> => {
    const run = copyOf('whole');
    const took = await lca(['measure', run]);
    say('lca measure', took);
    check(run);
    return took.busy;
  };
  const ways: Record<string, () => Promise<number>> = {
    alone: () => divided('alone', 1, ['0']),
    apart: () => divided('apart', tasks, [...Array(tasks).keys()].map(String)),
    together: () => divided('together', tasks, [`0-${tasks - 1}`]),
  };
  const chosen = Object.entries({ measured, ...ways }).filter(
    ([name]) => name === 'measured' || cases.includes(name),
  );
  const seconds = new Map<string, number[]>(chosen.map(([name]) => [name, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, way] of chosen) seconds.get(name)!.push(await way());
  }
  const medians = new Map([...seconds].map(([name, all]) => [name, median(all)]));
  for (const [name, busy] of medians) {
    const times = [...medians]
      .filter(([other]) => other !== name)
      .map(([other, own]) => `${(busy / own).toFixed(2)} times ${other}`);
    process.stdout.write(`${name.padEnd(20)} processors ${busy.toFixed(2)} s  ${times.join(', ')}\n`);
  }

  for (const threads of cases.includes('threads') ? values.threads.split(',') : []) {
    const run = copyOf(`threads-${threads}`);
    say(`${threads} threads`, await lca(['measure', run, '--workers', threads]));
    check(run);
  }
} finally {
  rmSync(parent, { recursive: true, force: true });
}
