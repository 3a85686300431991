import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { S3Bucket } from '../../src/store/s3/client.js';
import { type FaultyProxy, startFaultyProxy } from '../support/ceph/faulty-proxy.js';
import { credentials, fetchRun, obstacleToCeph, startStore, type Store } from '../support/ceph/store.js';
import { type CliResult, fingerprint, lcaProcess, temporaryFolder } from '../support/cli.js';
import { obstacleTo } from '../support/daemons.js';

const reason =
  obstacleToCeph() ??
  obstacleTo('Slurm', ['slurmctld', 'slurmd', 'munged', 'sbatch'], 'slurmctld slurmd slurm-client munge');

const scripts = resolve(import.meta.dirname, '../support/slurm');
const folder = temporaryFolder();
const state = join(folder, 'slurm');
/** Where jobs are submitted: what is in no run folder is written there. */
const desk = join(folder, 'desk');
const address = 's3://runs/shared';
const definition = [
  'mnist-fc-sgd', '--subset', '200', '--iterations', '24', '--batch-size', '50', '--chunk', '100', '--measure', 'train', '--quiet',
]; // prettier-ignore

let store: Store;
let proxy: FaultyProxy;

/** A command line, and jobs, for which one request of twenty to the store fails or stalls. */
async function remote(...args: string[]): Promise<CliResult> {
  const env = { ...credentials, AWS_ENDPOINT_URL: proxy.url, SLURM_CONF: join(state, 'slurm.conf') };
  const result = await lcaProcess(args, { ...env, XDG_CACHE_HOME: join(folder, 'cache') }, desk);
  expect(result.code, result.stderr + result.stdout).toBe(0);
  return result;
}

/** Beside the Slurm of the other tests. */
function slurm(script: string, ...args: string[]): void {
  const env = { ...process.env, CTLPORT: '16917', BASE: '16920' };
  const { status, stderr } = spawnSync('bash', [join(scripts, script), state, ...args], { encoding: 'utf8', env }); // prettier-ignore
  expect(status, stderr).toBe(0);
}

const logs = (): string =>
  readdirSync(join(desk, 'lca-logs')).map((name) => readFileSync(join(desk, 'lca-logs', name), 'utf8')).join('\n'); // prettier-ignore

describe.skipIf(reason !== null)('a run in an object store, submitted to Slurm', () => {
  const [trained, whole, packed] = ['trained', 'whole', 'packed'].map((name) => join(folder, name)) as [string, string, string]; // prettier-ignore

  beforeAll(async () => {
    mkdirSync(desk);
    store = startStore(join(folder, 'ceph'), 17900);
    proxy = await startFaultyProxy(store.url, 20);
    await new S3Bucket('runs', { ...credentials, AWS_ENDPOINT_URL: store.url }).put('', new Uint8Array(0));
    slurm('start.sh', '2');
    await remote('train', ...definition, '--out', trained);
    cpSync(trained, whole, { recursive: true });
    await remote('measure', whole, '--quiet');
    await remote('pack', whole, packed, '--quiet');
    await remote('pack', trained, address, '--quiet');
    await remote('plan', address, '--tasks', '4');
  });
  afterAll(() => {
    slurm('stop.sh');
    proxy.close();
    store.stop();
  });

  it('has the bytes of one machine’s; the nodes share nothing but the store, and logs lie where it was submitted', async () => {
    const { stdout, stderr } = await remote('submit', address, '--slurm', '--scratch', join(folder, 'node-scratch'), '--follow', '--quiet', '--', '--cpus-per-task=1'); // prettier-ignore
    expect(stdout).toMatch(/job \d+: tasks 0-3\njob \d+: merging when they have ended/);
    expect(stderr, logs()).toMatch(/24 of 24 segments are in the run/);
    expect(logs()).toMatch(/Task 3: published/);
    expect(existsSync(join(folder, 'node-scratch'))).toBe(true);
    const target = join(folder, 'fetched');
    await fetchRun(address, store.url, target);
    expect(fingerprint(join(target, 'ledger.zarr'))).toEqual(fingerprint(join(packed, 'ledger.zarr')));
    expect(existsSync(join(target, 'parts'))).toBe(false);
  });

  it('has nothing left to submit then but the merging', async () => {
    const { stdout } = await remote('submit', address, '--slurm', '--follow', '--quiet');
    expect(stdout).toMatch(/^job \d+: merging\n$/);
  });
});
