import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

const main = resolve(import.meta.dirname, '../../dist/bin/lca.js');

/** Makes a process say at its end what it took. */
const spy = `data:text/javascript,${encodeURIComponent(`
  import { isMainThread } from 'node:worker_threads';
  if (isMainThread) process.on('exit', () => process.stderr.write('usage ' + JSON.stringify(process.resourceUsage()) + '\\n'));
`)}`;

/** What a command line took. */
export interface Took {
  /** Seconds: by the clock, of processors, and until it began to measure. */
  readonly wall: number;
  readonly busy: number;
  readonly first: number;
  /** Seconds that it measured. */
  readonly measuring: number;
  /** MiB at most. */
  readonly memory: number;
}

/** Runs a command line to its end. */
export function lca(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Took> {
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1e3;
  // Certificates of a machine's own, which Node.js would read at each start: 0.03 s.
  const own = { ...process.env, NODE_EXTRA_CA_CERTS: undefined, ...env };
  const child = spawn(process.execPath, ['--import', spy, main, ...args], { stdio: ['ignore', 'ignore', 'pipe'], env: own });
  let said = '';
  let [first, ended] = [NaN, NaN];
  child.stderr.on('data', (text: Buffer) => {
    said += text.toString();
    // A bar of segments begins when all else is ready.
    if (Number.isNaN(first) && /^(measure|task \d+): /m.test(said)) first = seconds();
    if (Number.isNaN(ended) && /^(measure|task \d+): .* in /m.test(said)) ended = seconds();
  });
  return new Promise((done, fail) => {
    child.on('close', (code) => {
      const usage = /^usage (.*)$/m.exec(said)?.[1];
      if (code !== 0 || usage === undefined) return fail(new Error(said));
      const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(usage) as NodeJS.ResourceUsage;
      done({ wall: seconds(), measuring: ended - first, busy: (userCPUTime + systemCPUTime) / 1e6, first, memory: maxRSS / 1024 });
    });
  });
} // prettier-ignore
