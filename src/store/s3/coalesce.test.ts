import { describe, expect, it } from 'vitest';
import type { ByteRange } from '../../format/source.js';
import { coalesced } from './coalesce.js';

const file = Uint8Array.from({ length: 400_000 }, (_, at) => at % 251);

function counted() {
  const asked: (ByteRange | undefined)[] = [];
  const source = coalesced({
    get: (path, range) => {
      asked.push(range);
      if (path !== 'file') return Promise.reject(new Error(`no ${path}`));
      return Promise.resolve(range === undefined ? file : file.subarray(range.start, range.end));
    },
  });
  return { asked, source };
}

describe('ranges that are asked for at once', () => {
  it('are one request where they lie close together, each with its own bytes', async () => {
    const { asked, source } = counted();
    const ranges = [[300, 310], [5, 9], [0, 8], [399_990, 400_050], [200_000, 200_004]] as const; // prettier-ignore
    const found = await Promise.all(ranges.map(([start, end]) => source.get('file', { start, end })));
    expect(found).toEqual(ranges.map(([start, end]) => file.subarray(start, end)));
    expect(asked).toEqual([{ start: 0, end: 310 }, { start: 200_000, end: 200_004 }, { start: 399_990, end: 400_050 }]); // prettier-ignore
  });

  it('fail together, and whole files are asked for as they are', async () => {
    const { asked, source } = counted();
    const both = await Promise.allSettled([0, 1].map((start) => source.get('other', { start, end: 2 })));
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await source.get('file')).toBe(file);
    expect(asked).toHaveLength(2);
  });
});
