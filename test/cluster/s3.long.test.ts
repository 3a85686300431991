import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AwsClient } from 'aws4fetch';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { S3Bucket } from '../../src/store/s3/client.js';
import { decodeIndex } from '../../src/store/s3/packs.js';
import { RemoteRun } from '../../src/store/s3/remote-run.js';
import { type FaultyProxy, startFaultyProxy } from '../support/ceph/faulty-proxy.js';
import { credentials, obstacleToCeph, startStore, type Store } from '../support/ceph/store.js';
import { type CliResult, ended, filesBelow, lcaProcess, temporaryFolder } from '../support/cli.js';

const reason = obstacleToCeph();

const folder = temporaryFolder();
const run = join(folder, 'run');
const server = 'http://127.0.0.1:17480';
const definition = ['mnist-fc-sgd', '--subset', '200', '--iterations', '6', '--batch-size', '50', '--chunk', '100', '--quiet']; // prettier-ignore

const direct = { ...credentials, AWS_ENDPOINT_URL: server };

const ownMounts = spawnSync('unshare', ['-rm', 'true']).status === 0;

let store: Store;
let proxy: FaultyProxy;

/** A command line on a store in which one request of twenty fails or stalls. */
function remote(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CliResult> {
  return lcaProcess(args, { ...credentials, AWS_ENDPOINT_URL: proxy.url, ...env });
}

describe.skipIf(reason !== null)('a run in an object store', () => {
  beforeAll(async () => {
    store = startStore(join(folder, 'ceph'), 17480);
    proxy = await startFaultyProxy(server, 20);
    expect((await lcaProcess(['run', ...definition, '--out', run])).code).toBe(0);
    const bucket = new S3Bucket('runs', direct);
    await bucket.put('', new Uint8Array(0));
    for (const path of filesBelow(run))
      await bucket.put(`mine/${path.slice(run.length + 1)}`, readFileSync(path));
  });
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.warn(store.lastWords());
  });
  afterAll(() => {
    proxy.close();
    store.stop();
  });

  it('is verified, exported and reported as one in a folder, though requests fail and stall', async () => {
    expect(await remote(['verify', 's3://runs/mine', '--quiet'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/The run is sound/) as string,
    });
    const exported = ['allocation', '--objective', 'train', '--format', 'npy', '--out'];
    const [here, there] = ['here.npy', 'there.npy'].map((name) => join(folder, name)) as [string, string];
    expect((await lcaProcess(['export', run, '--what', ...exported, here])).code).toBe(0);
    const result = await remote(['export', 's3://runs/mine', '--what', ...exported, there]);
    expect(result.code, result.stderr).toBe(0);
    expect(readFileSync(there)).toEqual(readFileSync(here));
    const report = await remote(['report', 's3://runs/mine', '--quiet']);
    expect(report.stdout).toMatch(/Report: s3:\/\/runs\/mine\/report\.html/);
    expect((await lcaProcess(['report', run, '--quiet'])).code).toBe(0);
    const page = await new S3Bucket('runs', direct).get('mine/report.html');
    expect(Buffer.from(page!).equals(readFileSync(join(run, 'report.html')))).toBe(true);
    expect(proxy.counts.failed).toBeGreaterThan(3);
  });

  it('that is damaged is found', async () => {
    const bucket = new S3Bucket('runs', direct);
    const key = 'mine/ledger.zarr/theta/c/2/0';
    const bytes = (await bucket.get(key))!;
    await bucket.put(
      key,
      bytes.map((byte, at) => (at === 9 ? byte ^ 1 : byte)),
    );
    const { code, stdout } = await remote(['verify', 's3://runs/mine', '--quiet']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/BAD {2}ledger\.zarr\/theta\/c\/2\/0 .*row 2.*checksum differs/);
    await bucket.put(key, bytes);
  });

  it.each([
    ['another bucket', ['verify', 's3://none/mine'], {}, 2, /NoSuchBucket[^]*a bucket that is there/],
    ['another path', ['verify', 's3://runs/none'], {}, 2, /s3:\/\/runs\/none holds no manifest\.json/],
    ['no path', ['verify', 's3://runs'], {}, 2, /such as s3:\/\/bucket\/my-run/],
    ['a wrong secret', ['verify', 's3://runs/mine'], { AWS_SECRET_ACCESS_KEY: 'wrong' }, 2, /SignatureDoesNotMatch[^]*AWS_SECRET_ACCESS_KEY/],
    ['a wrong key', ['verify', 's3://runs/mine'], { AWS_ACCESS_KEY_ID: 'wrong' }, 2, /InvalidAccessKeyId/],
    ['no key', ['verify', 's3://runs/mine'], { AWS_ACCESS_KEY_ID: '' }, 2, /without credentials[^]*AWS_ACCESS_KEY_ID/],
    ['nobody at the endpoint', ['verify', 's3://runs/mine'], { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' }, 1, /no answer from http:\/\/127\.0\.0\.1:9/],
    ['writing', ['resume', 's3://runs/mine'], {}, 2, /put the run there with lca pack/],
  ] as const)('with %s is a clear error', async (_, args, env, code, message) => {
    const result = await remote(args, env);
    expect(result.stderr).toMatch(message);
    expect(result.code).toBe(code);
  }); // prettier-ignore

  describe('that is planned', () => {
    const address = 's3://runs/planned';
    const at = (name: string) => join(folder, name);
    const scratch = ['--quiet', '--scratch', at('scratch')];
    let planned: RemoteRun;

    const work = (task: number, env: NodeJS.ProcessEnv = {}) => remote(['work', address, '--task', String(task), '--workers', '1', ...scratch], env); // prettier-ignore
    const textOf = async (path: string) => Buffer.from((await planned.get(path))!).toString();

    beforeAll(async () => {
      for (const [name, seed] of [['trained', '1'], ['other', '2']] as const)
        expect((await lcaProcess(['train', ...definition, '--seed', seed, '--measure', 'train', '--out', at(name)])).code).toBe(0);
      expect((await remote(['pack', at('trained'), address, ...scratch])).code).toBe(0);
      expect(await remote(['plan', address, '--tasks', '2'])).toMatchObject({ code: 0, stdout: '0-1\n' });
      planned = RemoteRun.at(address, direct);
      store.addUser('reader');
      const client = new AwsClient({ accessKeyId: direct.AWS_ACCESS_KEY_ID, secretAccessKey: direct.AWS_SECRET_ACCESS_KEY, service: 's3', region: 'us-east-1' });
      const Statement = [{ Effect: 'Allow', Principal: { AWS: ['arn:aws:iam:::user/reader'] }, Action: ['s3:GetObject', 's3:ListBucket'], Resource: ['arn:aws:s3:::runs', 'arn:aws:s3:::runs/*'] }];
      const answer = await client.fetch(`${server}/runs?policy`, { method: 'PUT', body: JSON.stringify({ Version: '2012-10-17', Statement }) });
      expect(answer.ok).toBe(true);
    }); // prettier-ignore

    const reader = { AWS_ACCESS_KEY_ID: 'reader', AWS_SECRET_ACCESS_KEY: 'reader' };
    it.each([
      ['into another bucket', ['plan', 's3://none/planned', '--tasks', '2'], {}, 2, /NoSuchBucket[^]*a bucket that is there/],
      ['with a wrong secret', ['work', address, '--task', '0'], { AWS_SECRET_ACCESS_KEY: 'wrong' }, 2, /SignatureDoesNotMatch[^]*AWS_SECRET_ACCESS_KEY/],
      ['without permission to work', ['work', address, '--task', '0', ...scratch], reader, 2, /could not write planned\/parts\/0\/[^]*403 AccessDenied[^]*s3:PutObject/],
      ['without permission to plan', ['plan', address, '--tasks', '2', '--anew'], reader, 2, /could not remove planned\/plan\/0[^]*403 AccessDenied/],
      ['of nobody, without permission to read', ['merge', address, ...scratch], { ...reader, AWS_ACCESS_KEY_ID: 'nobody' }, 2, /InvalidAccessKeyId/],
      ['over one that is there', ['pack', at('other'), address, ...scratch], {}, 2, /planned exists/],
      ['that is trained on', ['resume', address], {}, 2, /lca pack/],
    ] as const)('%s is refused', async (_, args, env, code, message) => {
      const result = await remote(args, env);
      expect(result.stderr).toMatch(message);
      expect(result.code).toBe(code);
      expect(await textOf('plan/0')).toMatch(/lossledger-plan/);
    }); // prettier-ignore

    it('refuses workers of other versions, and a plan of another run', async () => {
      const plan = await textOf('plan/0');
      await planned.put('plan/0', Buffer.from(plan.replace(/"lossledger": "[^"]*"/, '"lossledger": "0.0.0"')));
      expect(await work(0)).toMatchObject({ code: 2, stderr: expect.stringMatching(/instead of 0\.0\.0[^]*--mixed/) as string });
      await planned.put('plan/0', Buffer.from(plan.replace(/"manifest": "[^"]*"/, `"manifest": "${'0'.repeat(64)}"`)));
      expect(await work(0)).toMatchObject({ code: 2, stderr: expect.stringMatching(/another manifest[^]*--anew/) as string });
      await planned.put('plan/0', Buffer.from(plan));
    }); // prettier-ignore

    it('says that a clock is off', async () => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 365 * 24 * 3600 * 1000 });
      try {
        await expect(planned.get('manifest.json')).rejects.toThrow(/RequestTimeTooSkewed[^]*set the clock/);
      } finally {
        vi.useRealTimers();
      }
    });

    it.skipIf(!ownMounts)('says that the disk for scratch is full, and goes on elsewhere', async () => {
      mkdirSync(at('disk'));
      const script = `mount -t tmpfs -o size=600k none "$0" && exec "$1" "$2" work ${address} --task 0 --quiet --workers 1 --scratch "$0"`;
      const main = resolve(import.meta.dirname, '../../dist/bin/lca.js');
      const child = spawn('unshare', ['-rm', 'bash', '-c', script, at('disk'), process.execPath, main], { env: { ...process.env, ...credentials, AWS_ENDPOINT_URL: proxy.url } });
      const { code, stderr } = await ended(child);
      expect(stderr).toMatch(/ENOSPC[^]*free space on the disk/);
      expect(code).toBe(1);
      expect(await work(0)).toMatchObject({ code: 0 });
    }); // prettier-ignore

    it('names parts that are damaged or foreign, and has their tasks done again', async () => {
      for (const task of [0, 1]) expect((await work(task)).code).toBe(0);
      const files = decodeIndex((await planned.get('parts/0/part-0'))!, 'part-0');
      const { pack, offset } = [...files].find(([path]) => path.includes('/c/'))![1];
      const bytes = (await planned.get(pack))!;
      await planned.put(pack, bytes.map((byte, k) => (k === offset + 5 ? byte ^ 1 : byte)));
      await planned.put('parts/1/part-0', (await planned.get('parts/0/part-0'))!);
      const merged = await remote(['merge', address, ...scratch]);
      expect(merged.stdout, merged.stderr).toMatch(/BAD {2}task 0: s3:\/\/runs\/planned\/parts\/0\/\S* is damaged: its checksum differs \(moved to s3:\/\/runs\/planned\/parts\/0\/refused-0\)/);
      expect(merged.stdout).toMatch(/BAD {2}task 1: it is of task 0/);
      expect(merged).toMatchObject({ code: 1, stdout: expect.stringMatching(/missing: 0-1/) as string });
      for (const task of [0, 1]) expect(await work(task)).toMatchObject({ code: 0, stderr: `Task ${task}: published.\n` });
      expect(await remote(['merge', address, ...scratch])).toMatchObject({ code: 0, stdout: expect.stringMatching(/6 of 6 segments/) as string });
      expect(await remote(['verify', address, '--quiet'])).toMatchObject({ code: 0 });
    }); // prettier-ignore
  });

  it('is written once where several write the same at once', async () => {
    const bucket = new S3Bucket('runs', { ...credentials, AWS_ENDPOINT_URL: server });
    const made = await Promise.all(Array.from({ length: 12 }, (_, own) => bucket.put('raced', Uint8Array.of(own), 'absent'))); // prettier-ignore
    expect(made.filter((tag) => tag !== null)).toHaveLength(1);
    expect([...(await bucket.get('raced'))!]).toEqual([made.findIndex((tag) => tag !== null)]);
    expect(await bucket.get('raced', { start: 5, end: 9 })).toEqual(new Uint8Array(0));
  });
});
