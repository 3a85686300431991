import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ahead, ReadAhead } from './read-ahead.js';

/** A place far away, with how many requests are on their way at once, at most, and all of them in order. */
function farAway(fails?: string) {
  const seen = { most: 0, asked: [] as string[] };
  let now = 0;
  const get = async (file: string) => {
    seen.asked.push(file);
    seen.most = Math.max(seen.most, ++now);
    await sleep(1);
    now--;
    if (file === fails) throw new Error(`${file} fails`);
    return file === 'none' ? undefined : new TextEncoder().encode(file);
  };
  return { source: { get }, seen };
}

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

describe('reading ahead', () => {
  it('asks for a few files at once, each once, and gives them as they are', async () => {
    const files = Array.from({ length: 40 }, (_, i) => `c/${i}`);
    const { source, seen } = farAway();
    const ahead = new ReadAhead(source, files);
    for (const file of files) expect(text(await ahead.get(file))).toBe(file);
    expect(seen).toEqual({ most: 8, asked: files });
  });

  it('reads what was not foreseen, and what is not there, and leaves out what nobody asks for', async () => {
    const { source } = farAway();
    const ahead = new ReadAhead(source, ['a', 'none', 'b']);
    expect(text(await ahead.get('other'))).toBe('other');
    expect(await ahead.get('none')).toBeUndefined();
    expect(text(await ahead.get('b'))).toBe('b');
    expect(text(await ahead.get('b'))).toBe('b');
  });

  it('rejects where the file is asked for, not before', async () => {
    const { source } = farAway('b');
    const ahead = new ReadAhead(source, ['a', 'b', 'c']);
    expect(text(await ahead.get('a'))).toBe('a');
    await sleep(5);
    await expect(ahead.get('b')).rejects.toThrow('b fails');
    expect(text(await ahead.get('c'))).toBe('c');
  });
});

describe('what is begun ahead', () => {
  const files = Array.from({ length: 20 }, (_, i) => `c/${i}`);

  it('comes in order, a few at once', async () => {
    const { source, seen } = farAway();
    const found: [string, string][] = [];
    for await (const [file, bytes] of ahead(files, source.get)) found.push([file, text(bytes)]);
    expect(found).toEqual(files.map((file) => [file, file]));
    expect(seen).toEqual({ most: 8, asked: files });
  });

  it('rejects where the turn of what failed comes', async () => {
    const { source } = farAway('c/3');
    const found: string[] = [];
    const reading = async () => {
      for await (const [file] of ahead(files, source.get)) found.push(file);
    };
    await expect(reading()).rejects.toThrow('c/3 fails');
    expect(found).toEqual(files.slice(0, 3));
  });
});
