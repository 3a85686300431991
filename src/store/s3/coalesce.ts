import type { ByteRange, Source } from '../../format/source.js';

/** Bytes between two ranges up to which fetching them costs less than another request. */
const gapBytes = 2 ** 16;
/** Bytes that one request fetches at most, unless a single range is larger. */
const mostBytes = 2 ** 26;

interface Asked {
  readonly range: ByteRange;
  readonly resolve: (bytes: Uint8Array | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Ranges that one request fetches. */
interface Group {
  readonly start: number;
  end: number;
  readonly asked: Asked[];
}

/** A source in which ranges of one file that are asked for in the same moment, and lie close together, are fetched at once. */
export function coalesced(source: Source): Source {
  const waiting = new Map<string, Asked[]>();
  const fetchAll = (path: string): void => {
    const asked = waiting.get(path) ?? [];
    waiting.delete(path);
    for (const group of grouped(asked)) void fetchGroup(source, path, group);
  };
  return {
    get: (path, range) => {
      if (range === undefined) return source.get(path);
      return new Promise((resolve, reject) => {
        const asked = waiting.get(path);
        if (asked !== undefined) asked.push({ range, resolve, reject });
        else {
          waiting.set(path, [{ range, resolve, reject }]);
          // Behind whatever else is ready to ask.
          setImmediate(fetchAll, path);
        }
      });
    },
  };
}

function grouped(asked: readonly Asked[]): Group[] {
  const groups: Group[] = [];
  for (const own of [...asked].sort((a, b) => a.range.start - b.range.start)) {
    const { start, end } = own.range;
    const last = groups.at(-1);
    const isNear = last !== undefined && start <= last.end + gapBytes && end - last.start <= mostBytes;
    if (isNear) {
      last.end = Math.max(last.end, end);
      last.asked.push(own);
    } else groups.push({ start, end, asked: [own] });
  }
  return groups;
}

/** Answers each range of a group with its part of what comes; one that ends behind the file gets what there is. */
async function fetchGroup(source: Source, path: string, { start, end, asked }: Group): Promise<void> {
  try {
    const bytes = await source.get(path, { start, end });
    // Several get copies: what takes up all of its memory is the asker's own.
    for (const { range, resolve } of asked)
      resolve(asked.length === 1 ? bytes : bytes?.slice(range.start - start, range.end - start));
  } catch (error) {
    for (const { reject } of asked) reject(error);
  }
}
