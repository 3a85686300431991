import { randomBytes } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { link, lstat, lutimes, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { StoreError } from '../errors.js';
import { attempt, codeOf, readNow } from './files.js';
import { isRunning, realm, startOf } from './temporary.js';

const holderSchema = z.strictObject({
  pid: z.int(),
  host: z.string(),
  /** Boot and process namespace in which `pid` means something; empty where the system does not tell. */
  realm: z.string(),
  /** When the process started, in the system's own unit; null where it does not tell. */
  started: z.string().nullable(),
  token: z.string(),
});

type Holder = z.infer<typeof holderSchema>;

const heartbeatMs = 2_000;
/** A holder on another machine is given up after so long without a heartbeat. */
const patienceMs = 10_000;
/** Removing a dead lock takes a moment; a guard that stays for so long belongs to a process that was killed meanwhile. */
const guardMs = 3_000;
const guardPollMs = 10;

/** Exclusive right to write one run folder, as the file `lock` in it. */
export class RunLock {
  #path: string;
  /** What this process wrote into it. */
  readonly #text: string;
  readonly #heartbeat: NodeJS.Timeout;

  private constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
    this.#heartbeat = setInterval(() => {
      const now = new Date();
      lutimes(this.#path, now, now).catch(() => undefined);
    }, heartbeatMs);
    this.#heartbeat.unref();
  }

  /**
   * Takes the lock. One left behind by a process that no longer runs is taken over: at once on this machine, after ten seconds without a
   * heartbeat where it was made on another one.
   *
   * @param patience Milliseconds without a heartbeat after which a holder elsewhere is given up.
   * @throws StoreError naming the holder.
   */
  static async acquire(folder: string, patience = patienceMs): Promise<RunLock> {
    const path = join(folder, 'lock');
    const token = randomBytes(12).toString('hex');
    const own = `${path}.${token}`;
    const written = JSON.stringify(thisProcess(token));
    await attempt(`lock ${folder}`, () => writeFile(own, written, { flag: 'wx' }));
    try {
      while (!(await attempt(`lock ${folder}`, () => linked(own, path)))) {
        const text = textOf(path);
        if (text === null) {
          refuseLink(path);
          continue;
        }
        const holder = parseHolder(text);
        if (holder !== null && (await isHeld(path, holder, patience))) throw lockedBy(folder, holder);
        await attempt(`lock ${folder}`, () => removeDead(path, text));
      }
    } finally {
      await rm(own, { force: true });
    }
    return new RunLock(path, written);
  }

  /** Takes note that the folder was renamed, and the lock with it. */
  movedTo(folder: string): void {
    this.#path = join(folder, 'lock');
  }

  /** Throws StoreError where another process has taken the lock over, because this one seemed dead. */
  check(): void {
    if (textOf(this.#path) === this.#text) return;
    throw new StoreError({
      given: `${this.#path} no longer belongs to this process`,
      expected: 'one process writing a run',
      remedy: 'let the other process go on, or stop it and resume the run',
    });
  }

  /** Never fails: a lock that cannot be removed is taken over once its process has ended, and what made the disk refuse that is reported by itself. */
  async release(): Promise<void> {
    clearInterval(this.#heartbeat);
    try {
      if (textOf(this.#path) === this.#text) await rm(this.#path, { force: true });
    } catch {
      // A disk that became read-only, or something else in the lock's place.
    }
  }
}

/** Throws StoreError for a link to what is not there: nobody's lock, and none can be made in its place. */
function refuseLink(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return;
  throw new StoreError({
    given: `${path}, a link that leads nowhere`,
    expected: 'a file of its own, or none',
    remedy: 'delete the link',
  });
}

/** True where `path` now is the file `own`; false where there was one before. */
async function linked(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Removes a lock that was judged dead, unless it was replaced meanwhile. Only who holds the guard removes locks, so no two processes can
 * remove one after the other what the first of them has made anew.
 */
async function removeDead(path: string, judged: string): Promise<void> {
  const guard = `${path}.takeover`;
  try {
    await writeFile(guard, '', { flag: 'wx' });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    await outlast(guard);
    return;
  }
  try {
    if (textOf(path) === judged) await rm(path, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

/** Waits until a guard is gone, or removes it where it stays. Its own time says nothing: clocks differ. */
async function outlast(guard: string): Promise<void> {
  const began = performance.now();
  const first = await modified(guard);
  while (first !== null && (await modified(guard)) === first) {
    if (performance.now() - began > guardMs) return rm(guard, { recursive: true, force: true });
    await sleep(guardPollMs);
  }
}

async function isHeld(path: string, holder: Holder, patience: number): Promise<boolean> {
  if (holder.host === hostname() && holder.realm === realm()) return isRunning(holder);
  const before = await modified(path);
  for (let waited = 0; waited < patience; waited += heartbeatMs / 4) {
    await sleep(heartbeatMs / 4);
    if ((await modified(path)) !== before) return true;
  }
  return false;
}

function thisProcess(token: string): Holder {
  return { pid: process.pid, host: hostname(), realm: realm(), started: startOf(process.pid), token };
}

async function modified(path: string): Promise<number | null> {
  try {
    return (await lstat(path)).mtimeMs;
  } catch {
    return null;
  }
}

/** Null where there is no such file. Throws StoreError where it is none, such as a folder. */
function textOf(path: string): string | null {
  return readNow(path)?.toString('utf8') ?? null;
}

function parseHolder(text: string): Holder | null {
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function lockedBy(folder: string, { pid, host }: Holder): StoreError {
  return new StoreError({
    given: `${folder} is being written by process ${pid} on ${host}`,
    expected: 'one process writing a run',
    remedy: 'wait until it is done, or stop it and try again',
  });
}
