import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { CommitQueue } from './commits.js';

function gate(): { promise: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const promise = new Promise<void>((resolve) => (open = resolve));
  return { promise, open };
}

describe('CommitQueue', () => {
  it('records in order, and together what arrives meanwhile', async () => {
    const batches: number[][] = [];
    const first = gate();
    const queue = new CommitQueue<number>(async (batch) => {
      batches.push([...batch]);
      if (batches.length === 1) await first.promise;
    }, 8);
    for (let entry = 0; entry < 5; entry++) await queue.add(entry, sleep(5 - entry));
    await sleep(10);
    first.open();
    await queue.flush();
    expect(batches[0]![0]).toBe(0);
    expect(batches.flat()).toEqual([0, 1, 2, 3, 4]);
    expect(batches.length).toBeLessThan(5);
  });

  it('records nothing before its files are written', async () => {
    const files = gate();
    const recorded: number[] = [];
    const queue = new CommitQueue<number>((batch) => Promise.resolve(void recorded.push(...batch)), 8);
    await queue.add(1, files.promise);
    await sleep(5);
    expect(recorded).toEqual([]);
    files.open();
    await queue.flush();
    expect(recorded).toEqual([1]);
  });

  it('makes the caller wait where the limit is reached', async () => {
    const disk = gate();
    const queue = new CommitQueue<number>(() => disk.promise, 2);
    let accepted = 0;
    const writer = (async () => {
      for (let entry = 0; entry < 10; entry++) {
        await queue.add(entry, Promise.resolve());
        accepted++;
      }
    })();
    await sleep(10);
    expect(accepted).toBeLessThanOrEqual(4);
    disk.open();
    await writer;
    await queue.flush();
    expect(accepted).toBe(10);
  });

  it('stops for good at the first failure and tells every later caller', async () => {
    const recorded: number[] = [];
    const queue = new CommitQueue<number>((batch) => Promise.resolve(void recorded.push(...batch)), 2);
    await queue.add(0, Promise.resolve());
    await queue.add(1, Promise.reject(new Error('disk full')));
    await expect(queue.flush()).rejects.toThrow('disk full');
    await expect(queue.add(2, Promise.resolve())).rejects.toThrow('disk full');
    await expect(queue.flush()).rejects.toThrow('disk full');
    expect(recorded).not.toContain(1);
    expect(recorded).not.toContain(2);
  });
});
