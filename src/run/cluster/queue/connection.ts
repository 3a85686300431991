import { basename, resolve } from 'node:path';
import type * as Bull from 'bullmq';
import type { Redis } from 'ioredis';
import { EngineError, UsageError } from '../../../errors.js';
import type { Plan } from '../../../format/parts/plan.js';
import type { RunFolder } from '../../../store/folder.js';

/** Where the tasks of a run are queued. */
export interface QueuePlace {
  /** `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, or `rediss://…` with TLS. */
  readonly url: string;
  /** Name of the queue; default from the name of the run folder and its manifest. */
  readonly queue?: string | undefined;
}

/** What the queue holds of a task: all else is in the plan and the parts. */
export interface QueuedTask {
  readonly task: number;
  /** SHA-256 of the file of the plan that has the task. */
  readonly plan: string;
}

/** The queue of a run's tasks on a Redis server that answers. */
export interface TaskQueue {
  readonly name: string;
  readonly queue: Bull.Queue<QueuedTask>;
  /** What to say to the user about the server; null: nothing. */
  readonly warning: string | null;
  /** One that takes tasks; `lockMs`: how long a task is its own without a word from it. */
  takingTasks(lockMs: number): Bull.Worker<QueuedTask>;
  readonly close: () => Promise<void>;
}

/** Seconds that a server which was there may be away. */
const patience = 60;
/** Its answers to a connection take less than this. */
const connectMs = 10_000;

/**
 * Connects to the queue of a run's tasks, which need not be there yet.
 *
 * @throws UsageError where the address or the name is none, or the packages are not installed; EngineError where no Redis answers, or refuses the user.
 */
export async function openQueue(run: RunFolder, { manifest }: Plan, place: QueuePlace): Promise<TaskQueue> {
  const url = addressOf(place.url);
  const name = place.queue === undefined ? nameOf(run, manifest) : ownName(place.queue);
  const { bullmq, Redis } = await packages();
  const { client, info } = await connected(url, Redis);
  // BullMQ would print on standard output what `warningOf` says.
  const options = { connection: client, skipVersionCheck: true };
  const queue: Bull.Queue<QueuedTask> = new bullmq.Queue(name, options);
  // Whoever asks the server gets the error.
  queue.on('error', () => undefined);
  return {
    name,
    queue,
    warning: warningOf(url, info),
    takingTasks: (lockMs) => {
      const own = { ...options, lockDuration: lockMs, stalledInterval: lockMs, maxStalledCount: 1_000_000 };
      const worker = new bullmq.Worker<QueuedTask>(name, null, own);
      worker.on('error', () => undefined);
      return worker;
    },
    close: async () => {
      await queue.close().catch(() => undefined);
      client.disconnect();
    },
  };
}

function nameOf({ folder }: RunFolder, manifest: string): string {
  return `${basename(resolve(folder)).replaceAll(':', '_')}-${manifest.slice(0, 12)}`;
}

/** A name of the user's. Throws UsageError where it can be none: BullMQ puts colons between the words of its keys. */
function ownName(name: string): string {
  if (name !== '' && !name.includes(':')) return name;
  throw new UsageError({
    given: `--queue ${JSON.stringify(name)}`,
    expected: 'a name without colons',
    remedy: 'choose another one, the same for lca submit and all workers, or leave it out',
  });
}

/** Does something with a server that was there. Throws EngineError where it stays away. */
export async function asking<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error) || !/Connection is closed/.test(error.message)) throw error;
    throw new EngineError(
      {
        given: `the Redis server has not answered for ${patience} s`,
        expected: 'a server that is there until the tasks are done',
        remedy:
          'start it again, then lca submit RUN --redis URL: parts that are whole are not measured again',
      },
      { cause: error },
    );
  }
}

interface Packages {
  readonly bullmq: typeof Bull;
  readonly Redis: typeof Redis;
}

async function packages(): Promise<Packages> {
  try {
    const [bullmq, { Redis }] = await Promise.all([import('bullmq'), import('ioredis')]);
    return { bullmq, Redis };
  } catch (error) {
    throw new UsageError(
      {
        given: 'the npm packages bullmq and ioredis cannot be loaded',
        expected: 'these two packages, for queues in Redis',
        remedy: 'add them with `npm install bullmq ioredis` where lossledger is installed',
      },
      { cause: error },
    );
  }
}

/** The address of a server. Throws UsageError, without what may be a password. */
function addressOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && isRedis(url)) return url;
  const scheme = /^\w+:\/\//.exec(text)?.[0] ?? '';
  throw new UsageError({
    given: `--redis ${/[@?]/.test(text) ? `${scheme}…` : text}`,
    expected: 'redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE], or rediss://… with TLS',
    remedy:
      'give such an address (%40 stands for @ in a password), or set REDIS_URL to it and say --redis alone',
  });
}

function isRedis({ protocol, hostname, pathname, search, username, password }: URL): boolean {
  const isPlace = /^rediss?:$/.test(protocol) && hostname !== '' && /^(\/\d*)?$/.test(pathname);
  return isPlace && search === '' && !/%(?![0-9a-f]{2})/i.test(username + password);
}

/** A connection to a server that knows the user, and what the server says of itself. Throws EngineError. */
async function connected(url: URL, Client: Packages['Redis']): Promise<{ client: Redis; info: string }> {
  let isThere = false;
  let problem: Error | null = null;
  const client = new Client(url.href, {
    lazyConnect: true,
    connectTimeout: connectMs,
    maxRetriesPerRequest: null,
    retryStrategy: (tries) => (isThere && tries <= patience ? 1000 : null),
  });
  client.on('error', (error: Error) => {
    problem = error;
  });
  try {
    await client.connect();
    const info = await client.info();
    // A database that is not there is no reason for it to reject.
    if (problem === null) {
      isThere = true;
      return { client, info };
    }
  } catch (error) {
    problem ??= error as Error;
  }
  client.disconnect();
  throw noServer(url, problem);
} // prettier-ignore

/** What to do about a server's refusal, by what it says. */
const remedies: readonly (readonly [RegExp, string, string])[] = [
  [/WRONGPASS|NOAUTH|\bAUTH\b/, 'a user and password that this Redis knows', 'put them into the address: redis://USER:PASSWORD@HOST (without a user: redis://:PASSWORD@HOST)'],
  [/NOPERM/, 'a user that may use keys bull:* and all commands on them', 'let the administrator allow that (ACL SETUSER NAME on >PASSWORD ~bull:* +@all)'],
  [/certificate|self.signed|CERT_|altnames/i, 'a certificate that this machine trusts', 'name that of its authority: NODE_EXTRA_CA_CERTS=ca.pem lca …'],
  [/DB index/, 'the number of a database that this Redis has', 'leave it out of the address'],
]; // prettier-ignore

function noServer(url: URL, error: Error): EngineError {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const said = [code, error.message].filter((text) => text !== '').join(': ');
  const [, expected, remedy] = remedies.find(([pattern]) => pattern.test(said)) ?? [
    null,
    'a Redis server that answers there (rediss:// where it speaks TLS)',
    'start it, or correct host and port',
  ];
  const given = `no queue at ${url.protocol}//${url.host}: ${said}`;
  return new EngineError({ given, expected, remedy }, { cause: error, exitCode: 2 });
}

/** What may make a server lose tasks. */
function warningOf({ host }: URL, info: string): string | null {
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'noeviction';
  if (policy === 'noeviction') return null;
  return `Redis at ${host} drops what it holds when its memory is full (maxmemory-policy ${policy}); tasks may vanish from the queue. Set: CONFIG SET maxmemory-policy noeviction`;
}
