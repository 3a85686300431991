import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { fingerprint } from '../../test/support/cli.js';

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
const main = resolve(import.meta.dirname, '../../dist/bin/lca.js');
const parent = mkdtempSync(join(tmpdir(), 'lossledger-'));
const trained = join(parent, 'trained');

/** Makes a process say at its end what it took. */
const spy = `data:text/javascript,${encodeURIComponent(`
  import { isMainThread } from 'node:worker_threads';
  if (isMainThread) process.on('exit', () => process.stderr.write('usage ' + JSON.stringify(process.resourceUsage()) + '\\n'));
`)}`;

interface Took {
  /** Seconds: by the clock, of processors, and until it began to measure. */
  readonly wall: number;
  readonly busy: number;
  readonly first: number;
  /** MiB at most. */
  readonly memory: number;
}

/** Runs a command line to its end. */
function lca(...args: string[]): Promise<Took> {
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1e3;
  const child = spawn(process.execPath, ['--import', spy, main, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  let first = NaN;
  child.stderr.on('data', (text: Buffer) => {
    said += text.toString();
    // A bar of segments begins when all else is ready.
    if (Number.isNaN(first) && /^(measure|task \d+): /m.test(said)) first = seconds();
  });
  return new Promise((done, fail) => {
    child.on('close', (code) => {
      const usage = /^usage (.*)$/m.exec(said)?.[1];
      if (code !== 0 || usage === undefined) return fail(new Error(said));
      const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(usage) as NodeJS.ResourceUsage;
      done({ wall: seconds(), busy: (userCPUTime + systemCPUTime) / 1e6, first, memory: maxRSS / 1024 });
    });
  });
} // prettier-ignore

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
  await lca('train', values.preset, '--iterations', values.iterations, '--out', trained);
  // Compiled networks and the data are in the caches from here on.
  await lca('measure', copyOf('warm'), '--segments', '0:1');
  const whole = copyOf('whole');
  const single = await lca('measure', whole);
  say('lca measure', single);
  const expected = JSON.stringify(fingerprint(join(whole, 'ledger.zarr')));
  const check = (run: string) => {
    if (JSON.stringify(fingerprint(join(run, 'ledger.zarr'))) !== expected) throw new Error(`${run} differs`);
  };

  const divided = copyOf('divided');
  await lca('plan', divided, '--tasks', values.tasks);
  let busy = 0;
  for (let task = 0; task < Number(values.tasks); task++) {
    const took = await lca('work', divided, '--task', String(task));
    say(`task ${task}`, took);
    busy += took.busy;
  }
  await lca('merge', divided);
  check(divided);
  process.stdout.write(`${values.tasks} tasks take ${(busy / single.busy).toFixed(3)} times the processor time of one run\n`); // prettier-ignore

  for (const threads of values.threads.split(',')) {
    const run = copyOf(`threads-${threads}`);
    say(`${threads} threads`, await lca('measure', run, '--workers', threads));
    check(run);
  }
} finally {
  rmSync(parent, { recursive: true, force: true });
}
