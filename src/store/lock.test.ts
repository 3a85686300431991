import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { smallManifest, temporaryFolder } from '../../test/support/run-folder.js';
import { RunLock } from './lock.js';
import { createRunFolder } from './open.js';

let place: ReturnType<typeof temporaryFolder>;
let path: string;

beforeEach(() => {
  place = temporaryFolder();
  path = join(place.parent, 'lock');
});
afterEach(() => {
  place.remove();
});

/** Number of a process that has ended. */
function deadProcess(): number {
  return Number(execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }));
}

/** The lock as another holder would have left it. */
function leave(change: object): void {
  const holder = JSON.parse(readFileSync(path, 'utf8')) as object;
  writeFileSync(path, JSON.stringify({ ...holder, token: 'other', ...change }));
}

describe('RunLock', () => {
  it('is held by one at a time; the other is told by whom', async () => {
    const lock = await RunLock.acquire(place.parent);
    const second = RunLock.acquire(place.parent);
    await expect(second).rejects.toThrow(`written by process ${process.pid} on ${hostname()}`);
    await expect(second).rejects.toMatchObject({ tag: 'store', exitCode: 2 });
    await lock.release();
    await (await RunLock.acquire(place.parent)).release();
    expect(readdirSync(place.parent)).toEqual([]);
  });

  it('is won by exactly one of many that try at once', async () => {
    const tries = await Promise.allSettled(Array.from({ length: 12 }, () => RunLock.acquire(place.parent)));
    const won = tries.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(won).toHaveLength(1);
    won[0]!.check();
    await won[0]!.release();
  });

  it.each([
    ['a process that has ended', () => ({ pid: deadProcess(), started: '1' })],
    ['a process that has ended, where its start is not known', () => ({ pid: deadProcess(), started: null })],
    ['an earlier process with the number of a running one', () => ({ started: '1' })],
  ])('left by %s is taken over at once, also by exactly one of many', async (_, change) => {
    const first = await RunLock.acquire(place.parent);
    leave(change());
    expect(() => { first.check(); }).toThrow(/no longer belongs/); // prettier-ignore
    const unending = Number.POSITIVE_INFINITY;
    const tries = await Promise.allSettled(
      Array.from({ length: 8 }, () => RunLock.acquire(place.parent, unending)),
    );
    const won = tries.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(won).toHaveLength(1);
    won[0]!.check();
    await won[0]!.release();
    await first.release();
    expect(readdirSync(place.parent)).toEqual([]);
  });

  it('of another machine is respected while its heart beats', async () => {
    const first = await RunLock.acquire(place.parent);
    leave({ host: 'elsewhere' });
    const beat = setInterval(() => {
      utimesSync(path, new Date(), new Date());
    }, 100);
    await expect(RunLock.acquire(place.parent, 3000)).rejects.toThrow(/on elsewhere/);
    clearInterval(beat);
    await first.release();
  });

  it('of another machine is taken over after its heart stopped', async () => {
    const first = await RunLock.acquire(place.parent);
    await first.release();
    await RunLock.acquire(place.parent).then((lock) => lock.release());
    writeFileSync(
      path,
      JSON.stringify({ pid: 1, host: 'elsewhere', realm: '', started: null, token: 'other' }),
    );
    const lock = await RunLock.acquire(place.parent, 1000);
    lock.check();
    await lock.release();
  });

  it('that is not readable as one is taken over', async () => {
    writeFileSync(path, '');
    await (await RunLock.acquire(place.parent)).release();
  });

  it('is taken over where a guard was left by a process whose clock is ahead', async () => {
    writeFileSync(path, '');
    writeFileSync(`${path}.takeover`, '');
    const ahead = Date.now() / 1000 + 1e6;
    utimesSync(`${path}.takeover`, ahead, ahead);
    await (await RunLock.acquire(place.parent)).release();
    expect(readdirSync(place.parent)).toEqual([]);
  });

  it('is refused where it is a link that leads nowhere', async () => {
    symlinkSync(join(place.parent, 'nowhere'), path);
    await expect(RunLock.acquire(place.parent)).rejects.toThrow(
      /a link that leads nowhere[^]*delete the link/,
    );
    expect(readdirSync(place.parent)).toEqual(['lock']);
  });

  it('is let go of whatever is in its place by then', async () => {
    const lock = await RunLock.acquire(place.parent);
    rmSync(path);
    mkdirSync(path);
    await lock.release();
    expect(readdirSync(place.parent)).toEqual(['lock']);
  });

  it('keeps beating while it is held', async () => {
    const lock = await RunLock.acquire(place.parent);
    utimesSync(path, 0, 0);
    await vi.waitFor(() => expect(statSync(path).mtimeMs).toBeGreaterThan(0), { timeout: 5000 });
    await lock.release();
  });
});

it('a run folder appears with its lock, so that nobody resumes it before its maker writes', async () => {
  const made = createRunFolder(place.run, smallManifest(3));
  while (!existsSync(join(place.run, 'manifest.json'))) await setImmediate();
  expect(existsSync(join(place.run, 'lock'))).toBe(true);
  const run = await made;
  await run.writeTheta(0, new Float32Array(run.layout.size));
  await run.close();
  expect(readdirSync(place.run)).not.toContain('lock');
});
