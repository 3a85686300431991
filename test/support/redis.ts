import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';

/** A Redis server of the test's own. */
export interface RedisServer {
  /** Its address with a user and password: plain, and with TLS. */
  readonly url: string;
  readonly tlsUrl: string;
  /** The same without them. */
  readonly place: string;
  /** Certificate of the server, which signed it itself. */
  readonly certificate: string;
  readonly client: Redis;
  stop(): Promise<void>;
}

/** A password that an address must quote. */
export const secret = 'se:cr@t/1';

/** Starts a server that keeps nothing on the disk and knows one user. */
export async function startRedis(folder: string): Promise<RedisServer> {
  mkdirSync(folder, { recursive: true });
  const [port, tlsPort] = [await freePort(), await freePort()];
  const [certificate, key] = ['certificate.pem', 'key.pem'].map((name) => join(folder, name)) as [string, string]; // prettier-ignore
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate]; // prettier-ignore
  const { status, stderr } = spawnSync('openssl', request, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const config = join(folder, 'redis.conf');
  writeFileSync(
    config,
    `bind 127.0.0.1\nport ${port}\ntls-port ${tlsPort}\ntls-cert-file ${certificate}\ntls-key-file ${key}\ntls-auth-clients no
dir ${folder}\nsave ""\nappendonly no\nuser default off\nuser worker on >${secret} ~* &* +@all\n`,
  );
  const server = spawn('redis-server', [config], { stdio: 'ignore' });
  const ended = new Promise((done) => server.on('close', done));
  const user = `worker:${encodeURIComponent(secret)}`;
  const url = `redis://${user}@127.0.0.1:${port}`;
  const client = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
  // It takes a moment to come up.
  client.on('error', () => undefined);
  await client.ping();
  return {
    url,
    tlsUrl: `rediss://${user}@localhost:${tlsPort}`,
    place: `redis://127.0.0.1:${port}`,
    certificate,
    client,
    stop: async () => {
      client.disconnect();
      server.kill();
      await ended;
    },
  };
}

export function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => { done(port); }); // prettier-ignore
    });
  });
}
