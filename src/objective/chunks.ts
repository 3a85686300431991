/** A fixed slice [start, end) of a part's examples, evaluated together; batch statistics are per chunk. */
export interface Chunk {
  readonly start: number;
  readonly end: number;
}

/** A fixed sequence of chunks whose sums are added in order, in float64; lanes are then added in order. */
export interface Lane {
  /** Index of the part, all objectives' parts numbered through. */
  readonly part: number;
  readonly chunks: readonly Chunk[];
}

/** Slices of `chunk` examples; the last one holds the rest. */
export function chunksOf(count: number, chunk: number): Chunk[] {
  return Array.from({ length: Math.ceil(count / chunk) }, (_, k) => ({
    start: k * chunk,
    end: Math.min((k + 1) * chunk, count),
  }));
}

/** Deals the chunks of one part to at most `lanes` lanes: neighbours together, lengths differing by at most one. */
export function lanesOf(part: number, chunks: readonly Chunk[], lanes: number): Lane[] {
  const used = Math.min(lanes, chunks.length);
  const edge = (lane: number) => Math.floor((lane * chunks.length) / used);
  return Array.from({ length: used }, (_, lane) => ({
    part,
    chunks: chunks.slice(edge(lane), edge(lane + 1)),
  }));
}

/** Chunk sizes that occur, each of which needs its own program. */
export function chunkSizes(lanes: readonly Lane[]): number[] {
  return [...new Set(lanes.flatMap((lane) => lane.chunks.map(({ start, end }) => end - start)))];
}
