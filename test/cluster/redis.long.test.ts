import type { ChildProcess } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ended, fingerprint, lca, lcaProcess, startCli, temporaryFolder } from '../support/cli.js';
import { obstacleTo } from '../support/daemons.js';
import { freePort, type RedisServer, secret, startRedis } from '../support/redis.js';

const reason = obstacleTo('Redis', ['redis-server', 'openssl'], 'redis-server openssl', 'all');

const folder = temporaryFolder();
const [trained, whole] = ['trained', 'whole'].map((name) => join(folder, name)) as [string, string];
const definition = [
  'mnist-fc-sgd', '--subset', '200', '--iterations', '12', '--batch-size', '50', '--chunk', '100', '--measure', 'train', '--quiet',
]; // prettier-ignore
let server: RedisServer;
/** A task comes back so soon after its worker was killed. */
const env = { LOSSLEDGER_REDIS_LOCK: '1' };

/** Moments at which a worker is killed. */
const moments = 4;

async function planned(name: string, tasks: number): Promise<string> {
  const run = join(folder, name);
  cpSync(trained, run, { recursive: true });
  expect((await lca(['plan', run, '--tasks', String(tasks)])).code).toBe(0);
  return run;
}

function submit(run: string, ...options: string[]) {
  return lca(['submit', run, '--redis', server.url, ...options]);
}

/** A worker that takes its address from the environment. */
function startWorker(run: string): ChildProcess {
  const options = ['--redis', '--queue', 'q', '--quiet', '--workers', '1'];
  return startCli(['work', run, ...options], { ...env, REDIS_URL: server.url });
}

async function merged(run: string): Promise<void> {
  expect(await lca(['merge', run, '--quiet'])).toMatchObject({ code: 0, stderr: '' });
  expect(fingerprint(join(run, 'ledger.zarr'))).toEqual(fingerprint(join(whole, 'ledger.zarr')));
  expect(readdirSync(join(run, 'parts'))).toEqual([]);
}

/** Number of the process that measures a task for a worker. */
function childOf(worker: ChildProcess, task: number): number | null {
  const path = `/proc/${worker.pid!}/task/${worker.pid!}/children`;
  const children = existsSync(path) ? readFileSync(path, 'utf8').trim().split(' ').map(Number) : [];
  const words = (pid: number) => (existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0') : []); // prettier-ignore
  return children.find((pid) => words(pid).join(' ').includes(`--task ${task} `)) ?? null;
}

/** The process of a worker that measures a task, once there is one. */
async function measuring(worker: ChildProcess, task: number): Promise<number> {
  for (;;) {
    const child = childOf(worker, task);
    if (child !== null) return child;
    expect(worker.exitCode).toBeNull();
    await sleep(20);
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(20);
}

describe.skipIf(reason !== null)('a queue in Redis', () => {
  beforeAll(async () => {
    server = await startRedis(join(folder, 'redis'));
    expect((await lca(['train', ...definition, '--out', trained])).code).toBe(0);
    cpSync(trained, whole, { recursive: true });
    expect((await lca(['measure', whole, '--quiet'])).code).toBe(0);
  });
  beforeEach(async () => {
    await server.client.flushall();
    await server.client.config('SET', 'maxmemory-policy', 'noeviction');
  });
  afterAll(() => server.stop());

  it('gives two workers all tasks once, though workers are killed at random moments', async () => {
    const run = await planned('killed', 6);
    expect(await submit(run, '--queue', 'q')).toMatchObject({ code: 0, stdout: 'queue q: tasks 0-5\n', stderr: '' }); // prettier-ignore
    // What waits there already stays one task.
    expect((await submit(run, '--queue', 'q')).code).toBe(0);
    expect(await server.client.llen('bull:q:wait')).toBe(6);
    // One may end before it is waited for.
    const start = () => {
      const worker = startWorker(run);
      return { worker, end: ended(worker) };
    };
    const workers = [start(), start()];
    for (let round = 0; round < moments; round++) {
      await sleep(500 + 1500 * Math.random());
      const victim = round % 2;
      workers[victim]!.worker.kill('SIGKILL');
      workers[victim] = start();
    }
    const ends = await Promise.all(workers.map(({ end }) => end));
    // By chance the same task may have lost three workers.
    if (ends.some(({ code }) => code !== 0)) {
      expect(ends.map(({ stderr }) => stderr).join('')).toMatch(/set aside/);
      await submit(run, '--queue', 'q');
      expect(await ended(startWorker(run))).toMatchObject({ code: 0 });
    }
    await merged(run);
  });

  it('sets a task aside that ended three workers, names it, and gives it again when it is submitted again', async () => {
    const run = await planned('poison', 2);
    await submit(run, '--queue', 'q');
    for (let round = 0; round < 2; round++) {
      const worker = startWorker(run);
      const end = ended(worker);
      const child = await measuring(worker, 0);
      worker.kill('SIGKILL');
      await until(() => !existsSync(`/proc/${child}`));
      expect((await end).signal).toBe('SIGKILL');
    }
    const third = startWorker(run);
    const end = ended(third);
    process.kill(await measuring(third, 0), 'SIGKILL');
    const { code, stderr } = await end;
    expect(code, stderr).toBe(1);
    expect(stderr).toMatch(/BAD {2}task 0 is set aside: it failed 3 times: its process was ended by SIGKILL/);
    expect(stderr).toMatch(/Not measured: 0;/);
    const again = await submit(run, '--queue', 'q');
    expect(again.stdout).toBe('queue q: tasks 0\ntried again, which had been set aside: 0\n');
    expect(await ended(startWorker(run))).toMatchObject({ code: 0 });
    await merged(run);
  });

  it('holds nothing that the parts do not: what is done is not done again, though the queue was lost', async () => {
    const run = await planned('lost', 3);
    expect((await lca(['work', run, '--task', '1', '--quiet'])).code).toBe(0);
    expect((await submit(run, '--queue', 'q')).stdout).toBe('queue q: tasks 0,2\n');
    const worker = startWorker(run);
    const end = ended(worker);
    await measuring(worker, 0);
    worker.kill('SIGTERM');
    expect((await end).code).toBe(75);
    expect(await server.client.llen('bull:q:wait')).toBe(2);
    await server.client.flushall();
    expect(await ended(startWorker(run))).toMatchObject({ code: 1, stderr: expect.stringMatching(/Not measured: 0,2; lca submit/) as string }); // prettier-ignore
    expect((await submit(run, '--queue', 'q')).stdout).toBe('queue q: tasks 0,2\n');
    const following = submit(run, '--queue', 'q', '--follow');
    expect(await ended(startWorker(run))).toMatchObject({ code: 0 });
    expect(await following).toMatchObject({ code: 0, stderr: expect.stringMatching(/All tasks are measured. Next: lca merge/) as string }); // prettier-ignore
    await merged(run);
  });

  it('speaks TLS, and warns where the server may drop tasks', async () => {
    const run = await planned('tls', 3);
    await server.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const own = ['submit', run, '--redis', server.tlsUrl, '--json'];
    const { code, stdout, stderr } = await lcaProcess(own, { NODE_EXTRA_CA_CERTS: server.certificate });
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ queue: expect.stringMatching(/^tls-[0-9a-f]{12}$/) as string, tasks: '0-2', again: '' }); // prettier-ignore
    expect(stderr).toMatch(/Warning: Redis at localhost:\d+ drops what it holds[^]*noeviction/);
    const distrusted = await lca(own);
    expect(distrusted).toMatchObject({ code: 2, stderr: expect.stringMatching(/certificate[^]*NODE_EXTRA_CA_CERTS/) as string }); // prettier-ignore
  });

  it('says what was wrong, and never a password', async () => {
    const run = await planned('wrong', 3);
    const stale = join(folder, 'stale');
    cpSync(run, stale, { recursive: true });
    const plan = JSON.parse(readFileSync(join(run, 'plan/0'), 'utf8')) as object;
    writeFileSync(join(stale, 'plan/0'), JSON.stringify({ ...plan, manifest: '0'.repeat(64) }));
    const nobody = `redis://worker:${encodeURIComponent(secret)}@127.0.0.1:${await freePort()}`;
    const cases: readonly (readonly [string, string, RegExp])[] = [
      [run, `http://worker:${secret}@127.0.0.1`, /--redis http:\/\/…\n[^]*redis:\/\/\[USER/],
      [run, `worker:${secret}`, /--redis …\n/],
      [run, 'localhost:6379', /--redis localhost:6379\n/],
      [run, 'redis://worker:100%@localhost', /--redis redis:\/\/…\n/],
      [run, nobody, /no queue at redis:\/\/127.0.0.1:\d+: ECONNREFUSED[^]*host and port/],
      [run, server.url.replace('%', '%25'), /WRONGPASS[^]*user and password/],
      [run, server.place, /NOAUTH[^]*user and password/],
      [run, `${server.url}/99`, /DB index[^]*database/],
      [whole, server.url, /has no plan[^]*lca plan/],
      [stale, server.url, /another manifest[^]*--anew/],
    ];
    for (const [place, url, message] of cases) {
      for (const command of ['submit', 'work']) {
        const { code, stderr } = await lca([command, place, '--redis', url]);
        expect(stderr).toMatch(message);
        expect(code).toBe(2);
        expect(stderr).not.toContain(secret);
        expect(stderr).not.toContain(encodeURIComponent(secret));
      }
    }
    for (const name of ['a:b', '']) {
      for (const command of ['submit', 'work']) {
        const { code, stderr } = await lca([command, run, '--redis', server.url, '--queue', name]);
        expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringMatching(/--queue "[^]*without colons/) as string });
      }
    }
    for (const seconds of ['0', '-1', 'soon', '1e9']) {
      const { code, stderr } = await lcaProcess(['work', run, '--redis', server.url], { LOSSLEDGER_REDIS_LOCK: seconds });
      expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringMatching(/LOSSLEDGER_REDIS_LOCK=[^]*seconds/) as string });
    }
    expect(await lca(['work', run, '--redis', server.url, '--task', '1'])).toMatchObject({ code: 2 });
    expect(await lca(['submit', run, '--redis', server.url, '--slurm'])).toMatchObject({ code: 2 });
    expect(await lca(['submit', run, '--redis'])).toMatchObject({ code: 2, stderr: expect.stringMatching(/REDIS_URL/) as string });
  }); // prettier-ignore
});
