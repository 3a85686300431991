import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { RemoteRun } from '../../../src/store/s3/remote-run.js';
import { obstacleTo } from '../daemons.js';

/** Why there is no object store here; null: there is. */
export function obstacleToCeph(): string | null {
  return obstacleTo('Ceph', ['ceph-mon', 'ceph-osd', 'radosgw'], 'ceph-mon ceph-osd radosgw');
}

/** Credentials of a user of it who may do all; requests that stall are given up soon. */
export const credentials = { AWS_ACCESS_KEY_ID: 'ledger', AWS_SECRET_ACCESS_KEY: 'ledgersecret', LOSSLEDGER_S3_TIMEOUT: '2' }; // prettier-ignore

/** An object store on this machine. */
export interface Store {
  readonly url: string;
  /** Makes a user with keys of the same name. */
  readonly addUser: (name: string) => void;
  readonly stop: () => void;
  /** Which of its processes are there, and what they logged last. */
  readonly lastWords: () => string;
}

/** Starts an object store on ports from one on: 100 of them, for each that runs at the same time others. */
export function startStore(state: string, port: number): Store {
  mkdirSync(state, { recursive: true });
  const env = { ...process.env, S3PORT: String(port), MONPORT: String(port + 10) };
  const run = (command: string, args: readonly string[]) => {
    const { status, stderr } = spawnSync(command, args, { encoding: 'utf8', env });
    expect(status, stderr).toBe(0);
  };
  run('bash', [join(import.meta.dirname, 'start.sh'), state]);
  return {
    url: `http://127.0.0.1:${port}`,
    addUser: (name) => { run('radosgw-admin', ['-c', join(state, 'ceph.conf'), '-n', 'client.rgw', 'user', 'create', `--uid=${name}`, `--display-name=${name}`, `--access-key=${name}`, `--secret-key=${name}`]); },
    stop: () => { spawnSync('bash', [join(import.meta.dirname, 'stop.sh'), state]); },
    lastWords: () => ['mon.a', 'osd.0', 'client.rgw'].map((name) => lastWordsOf(state, name)).join('\n'),
  };
} // prettier-ignore

function lastWordsOf(state: string, name: string): string {
  const read = (path: string) => (existsSync(join(state, path)) ? readFileSync(join(state, path), 'utf8') : '').trim();
  const pid = read(`run/${name}.pid`);
  const isThere = pid !== '' && existsSync(`/proc/${pid}`);
  return `${name} ${isThere ? 'runs' : 'has ended'}:\n${read(`log/${name}.log`).split('\n').slice(-15).join('\n')}`;
} // prettier-ignore

/** Copies all of a run in a store into a folder. */
export async function fetchRun(address: string, url: string, target: string): Promise<void> {
  const remote = RemoteRun.at(address, { ...credentials, AWS_ENDPOINT_URL: url });
  for (const path of await remote.list('')) {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    writeFileSync(join(target, path), (await remote.get(path))!);
  }
}
