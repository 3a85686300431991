import type { Random } from './samples.js';

/** Bytes that mean something to many formats. */
const telling = [0, 1, 0x7f, 0x80, 0xff];

export const below = (random: Random, count: number): number => Math.floor(random() * count);

export function pick<T>(random: Random, values: readonly T[]): T {
  return values[below(random, values.length)]!;
}

/** A place in a file: anywhere, or near its start or end, where most formats have their tables. */
function place(random: Random, length: number): number {
  const near = [below(random, length), below(random, Math.min(64, length)), length - 1 - below(random, Math.min(120, length))]; // prettier-ignore
  return Math.max(0, pick(random, near));
}

/** A file with a few bytes changed, cut off, a part of it taken out, doubled, moved or followed by more. */
export function mutated(original: Uint8Array, random: Random): Uint8Array {
  const bytes = Uint8Array.from(original);
  for (let changes = 1 + below(random, 6); changes > 0; changes--) {
    const at = place(random, bytes.length);
    bytes[at] = pick(random, [
      below(random, 256),
      pick(random, telling),
      bytes[at]! ^ (1 << below(random, 8)),
    ]);
  }
  const at = place(random, bytes.length);
  const span = below(random, 50);
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (below(random, 10)) {
    case 0:
      return before;
    case 1:
      return Buffer.concat([bytes, after]);
    case 2:
      return Buffer.concat([before, bytes.subarray(at + span)]);
    case 3:
      return Buffer.concat([before, bytes.subarray(at, at + span), after]);
    case 4:
      return Buffer.concat([before, Uint8Array.of(255, 255, 255, 255, 7), after]);
    case 5:
      return bytes.copyWithin(at, place(random, bytes.length), place(random, bytes.length));
    default:
      return bytes;
  }
}

/** Values that no number, name or list of a JSON file expects. */
const strange = [-1, 0, 1.5, 2 ** 31, 2 ** 53, 1e300, 'gzip', 'blosc', 'transpose', 'float16', '../x', [], {}, null, undefined, true, [0], [-1], new Array(40).fill(2)]; // prettier-ignore

/** A JSON file in which some values stand in the place of others. */
export function mutatedJson(original: Uint8Array, random: Random): Uint8Array {
  const root: unknown = JSON.parse(Buffer.from(original).toString());
  for (let changes = 1 + below(random, 3); changes > 0; changes--) replaceOne(root, random);
  return Buffer.from(JSON.stringify(root));
}

function replaceOne(root: unknown, random: Random): void {
  let parent = root as Record<string, unknown>;
  for (;;) {
    const keys = Object.keys(parent);
    if (keys.length === 0) return;
    const key = pick(random, keys);
    const child = parent[key];
    if (typeof child !== 'object' || child === null || below(random, 4) === 0) {
      // A copy: what is put in may itself be changed later.
      parent[key] = structuredClone(pick(random, strange));
      return;
    }
    parent = child as Record<string, unknown>;
  }
}
