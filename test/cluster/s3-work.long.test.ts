import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { decodeSummary } from '../../src/format/derived/summary.js';
import { S3Bucket } from '../../src/store/s3/client.js';
import { decodeIndex } from '../../src/store/s3/packs.js';
import { RemoteRun } from '../../src/store/s3/remote-run.js';
import { type FaultyProxy, startFaultyProxy } from '../support/ceph/faulty-proxy.js';
import { credentials, fetchRun, obstacleToCeph, startStore, type Store } from '../support/ceph/store.js';
import { chromiumAbsent, chromiumHere, launchChromium, watchedPage } from '../support/chromium.js';
import { type CliResult, ended, fingerprint, lcaProcess, startCli, temporaryFolder } from '../support/cli.js';

const reason = obstacleToCeph();

const folder = temporaryFolder();
const [trained, whole, packed] = ['trained', 'whole', 'packed'].map((name) => join(folder, name)) as [string, string, string]; // prettier-ignore
const address = 's3://runs/shared';
const definition = [
  'mnist-fc-sgd', '--subset', '200', '--iterations', '24', '--batch-size', '50', '--chunk', '100', '--measure', 'train', '--quiet',
]; // prettier-ignore
const [tasks, segments] = [8, 24];

let store: Store;
let proxy: FaultyProxy;
let direct: RemoteRun;
let machines = 0;

/** A command line on a store in which one request of twenty fails or stalls. */
function remote(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CliResult> {
  return lcaProcess(args, { ...credentials, AWS_ENDPOINT_URL: proxy.url, ...env });
}

/** A worker on a machine of its own: nothing that others left is on its disk. */
function startWorker(task: number, run = address) {
  const scratch = join(folder, `machine-${machines++}`);
  const args = ['work', run, '--task', String(task), '--quiet', '--workers', '1', '--scratch', scratch];
  return startCli(args, { ...credentials, AWS_ENDPOINT_URL: proxy.url });
}

/** Allocations that workers of a task sent, each by whom: equal ones of two workers are two. */
async function sentOf(task: number): Promise<Set<string>> {
  const sent = new Set<string>();
  for (const path of await direct.list(`parts/${task}/`)) {
    if (!/\.index$|part-/.test(path)) continue;
    for (const [file, { pack }] of decodeIndex((await direct.get(path))!, path))
      if (file.includes('allocation/')) sent.add(`${file} ${pack}`);
  }
  return sent;
}

async function isStarted(task: number, worker: { exitCode: number | null }, others: number): Promise<void> {
  while (worker.exitCode === null) {
    const names = await direct.list(`parts/${task}/`);
    if (names.filter((name) => name.endsWith('.index')).length > others) return;
    await sleep(20);
  }
}

describe.skipIf(reason !== null)('a run in an object store that many machines measure', () => {
  beforeAll(async () => {
    store = startStore(join(folder, 'ceph'), 17600);
    proxy = await startFaultyProxy(store.url, 20);
    const bucket = new S3Bucket('runs', { ...credentials, AWS_ENDPOINT_URL: store.url });
    await bucket.put('', new Uint8Array(0));
    direct = RemoteRun.at(address, { ...credentials, AWS_ENDPOINT_URL: store.url, LOSSLEDGER_S3_TIMEOUT: '30' });
    expect((await lcaProcess(['train', ...definition, '--out', trained])).code).toBe(0);
    cpSync(trained, whole, { recursive: true });
    expect((await lcaProcess(['measure', whole, '--quiet'])).code).toBe(0);
    expect((await lcaProcess(['pack', whole, packed, '--quiet'])).code).toBe(0);
    expect(await remote(['pack', trained, address, '--quiet', '--scratch', join(folder, 'scratch')])).toMatchObject({ code: 0 }); // prettier-ignore
    expect(await remote(['plan', address, '--tasks', String(tasks)])).toMatchObject({ code: 0, stdout: '0-7\n' });
  });
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.warn(store.lastWords());
  });
  afterAll(() => {
    proxy.close();
    store.stop();
  });

  it('has the bytes of one machine’s, though workers are killed, two take one task, and requests fail', async () => {
    const kills = [0, 0, 3, 5, 7];
    for (const [round, task] of kills.entries()) {
      const worker = startWorker(task);
      const end = ended(worker);
      await isStarted(task, worker, kills.slice(0, round).filter((own) => own === task).length);
      await sleep(300 * Math.random());
      worker.kill('SIGKILL');
      await end;
    }
    const first = await Promise.all([0, 1, 2, 3, 3].map((task) => ended(startWorker(task))));
    for (const { code, stderr } of first) expect(code, stderr).toBe(0);
    const words = first.slice(3).map(({ stderr }) => /published.*/.exec(stderr)![0]).sort();
    expect(words).toEqual(['published by another worker.', 'published.']);
    const early = await remote(['merge', address, '--quiet', '--scratch', join(folder, 'scratch')]);
    expect(early, early.stderr).toMatchObject({ code: 1, stdout: expect.stringMatching(/missing: 4-7/) as string });
    for (const { code, stderr } of await Promise.all([4, 5, 6, 7].map((task) => ended(startWorker(task))))) expect(code, stderr).toBe(0);
    const sent = (await Promise.all([4, 5, 6, 7].map(sentOf))).reduce((sum, own) => sum + own.size, 0);
    // Of each worker that was killed, segments in flight may be measured again.
    expect(sent).toBeLessThanOrEqual((4 + 2) * (segments / tasks));
    const late = await remote(['merge', address, '--quiet', '--scratch', join(folder, 'scratch')]);
    expect(late, late.stderr).toMatchObject({ code: 0, stdout: expect.stringMatching(/24 of 24 segments/) as string });
    await fetchRun(address, store.url, join(folder, 'fetched'));
    expect(fingerprint(join(folder, 'fetched/ledger.zarr'))).toEqual(fingerprint(join(packed, 'ledger.zarr')));
    expect(await direct.list('parts/')).toEqual([]);
    expect(proxy.counts.failed).toBeGreaterThan(10);
  });

  it('is verified, and reported as the run of one machine', async () => {
    expect(await remote(['verify', address, '--quiet'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/The run is sound/) as string });
    const [here, there] = [packed, address].map((run, k) => [run, join(folder, `${k}.npy`)] as const);
    for (const [run, out] of [here!, there!])
      expect((await remote(['export', run, '--what', 'allocation', '--objective', 'train', '--format', 'npy', '--out', out])).code).toBe(0);
    expect(readFileSync(there![1]).equals(readFileSync(here![1]))).toBe(true);
  });

  it('is shown by the dashboard', async (ctx) => {
    if (!chromiumHere) ctx.skip(chromiumAbsent);
    const server = startCli(['view', address, '--json', '--scratch', join(folder, 'scratch')], { ...credentials, AWS_ENDPOINT_URL: proxy.url });
    const stopped = ended(server);
    const text = await new Promise<string>((ready) => {
      server.stdout!.once('data', (bytes) => { ready(String(bytes)); });
      void stopped.then(({ stderr }) => { ready(stderr); });
    });
    const browser = await launchChromium();
    const { page, complaints } = await watchedPage(browser);
    await page.goto((JSON.parse(text) as { url: string }).url);
    await page.waitForSelector('[data-ready=true]');
    expect(await page.textContent('body')).toMatch(/84,060/);
    const own = new URL('runs/0/', page.url()).href;
    const summary = await fetch(`${own}summary`);
    expect(summary.status).toBe(200);
    expect(decodeSummary(new Uint8Array(await summary.arrayBuffer())).status.sealed).toBe(true);
    // Its pyramid is written to --scratch, though somebody asks all the time.
    await expect.poll(async () => (await fetch(`${own}pyramid/train/index.json`)).status, { timeout: 300_000, interval: 50 }).toBe(200);
    expect(complaints).toEqual([]);
    await browser.close();
    server.kill('SIGINT');
    expect((await stopped).code).toBe(0);
  });
}); // prettier-ignore
