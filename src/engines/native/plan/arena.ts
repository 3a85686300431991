/** A piece of memory that is in use from one moment to another, both included. */
export interface Lifetime {
  readonly size: number;
  readonly start: number;
  readonly end: number;
}

interface Placement extends Lifetime {
  readonly offset: number;
}

/** Lowest offset at which `size` fits between placements that live at the same time. */
function lowestGap(neighbours: readonly Placement[], size: number): number {
  let offset = 0;
  for (const other of [...neighbours].sort((a, b) => a.offset - b.offset)) {
    if (offset + size <= other.offset) break;
    offset = Math.max(offset, other.offset + other.size);
  }
  return offset;
}

/** Offsets such that pieces that live at the same time do not overlap; the largest are placed first. */
export function placeLifetimes(lifetimes: readonly Lifetime[]): { offsets: number[]; size: number } {
  const offsets = new Array<number>(lifetimes.length).fill(0);
  const placed: Placement[] = [];
  const order = lifetimes
    .map((_, index) => index)
    .sort((a, b) => lifetimes[b]!.size - lifetimes[a]!.size || a - b);
  for (const index of order) {
    const lifetime = lifetimes[index]!;
    const neighbours = placed.filter((other) => other.start <= lifetime.end && lifetime.start <= other.end);
    const offset = lowestGap(neighbours, lifetime.size);
    offsets[index] = offset;
    placed.push({ ...lifetime, offset });
  }
  return { offsets, size: Math.max(0, ...placed.map((piece) => piece.offset + piece.size)) };
}
