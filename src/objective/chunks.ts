import type { Examples } from '../data/types.js';
import type { StatisticsKind } from '../graph/statistics.js';

/** A fixed slice [start, end) of an objective's examples, evaluated together; batch statistics are per chunk. */
export interface Chunk {
  readonly start: number;
  readonly end: number;
  /** Examples of its program, where these are more than its own: those behind it are masked. */
  readonly size?: number;
  /** Only its examples, or labels of them, of this cell count, the others are masked; left out: all count. */
  readonly cell?: number;
  /** Which of the partition's layers the cell is of; default the first. */
  readonly layer?: number;
  /** Batch normalisation uses running statistics; left out: those of the chunk. */
  readonly running?: true;
  /** Its program runs again for each cell of the same examples; left out: it is run once. */
  readonly shared?: true;
  /** Of a cell: what the chunk's other cells of the layer leave of the whole, so that it needs no run. */
  readonly rest?: true;
}

/** Chunks of one lane whose sums are kept apart: those of one cell, or (null) of all examples. */
export interface Piece {
  readonly cell: number | null;
  readonly chunks: readonly Chunk[];
}

/** A fixed sequence of chunks whose sums are added in order, in float64; lanes are then added in order. */
export interface Lane {
  /** Index of the objective. */
  readonly objective: number;
  /** Whether its sum is one of those that the whole objective adds up from. */
  readonly whole: boolean;
  readonly pieces: readonly Piece[];
  /** The first piece is the whole of its chunks, the others are cells of it, for which each chunk's forward pass is shared. Default: pieces stand for themselves. */
  readonly sharesForward?: true;
}

/** How the examples of an objective, or their labels, fall into cells, the finest subsets whose sums are kept apart. */
export interface CellPartition {
  /**
   * Cell of each example [count] or of each of its labels [count · rows], on shared memory; −1: of none. Ascending where examples are sorted
   * by cell. Each layer is a way of its own in which all of them fall into cells, which no other layer has.
   */
  readonly layers: readonly Int32Array[];
  /** Labels of an example, where cells tell them apart; default 1: an example is of one cell. */
  readonly rows?: number;
  /** Cells of all layers. */
  readonly count: number;
  /**
   * `sorted`: chunks hold examples of one cell each, which needs losses that do not depend on what else is in a chunk. `masked`: the whole
   * is evaluated as if there were no cells, and the backward pass of each chunk again for every cell in it but one, all else masked. `summed`:
   * each chunk is evaluated for every cell in it; the whole is what the first layer's cells add up to.
   */
  readonly kind: 'sorted' | 'masked' | 'summed';
}

/** Examples of an objective, and what masks them. */
export interface MaskedExamples {
  readonly examples: Examples;
  readonly cells: CellPartition | null;
}

/** What lanes of an objective are made of. */
export interface LanedObjective {
  /** Of its examples. */
  readonly count: number;
  readonly cells?: CellPartition | null | undefined;
  /** Whether batch normalisation uses running statistics; default false. */
  readonly running?: boolean;
}

/** The lanes of one objective: first those that make up the whole. */
export function lanesOf(
  objective: number,
  { count, cells, running = false }: LanedObjective,
  chunk: number,
  lanes: number,
): Lane[] {
  const own = running ? asRunning : (dealt: Dealt[]) => dealt;
  const plain = own(plainChunks(count, chunk).map((one) => ({ cell: null, chunk: one })));
  if (!cells) return deal(objective, true, plain, lanes);
  if (cells.kind === 'sorted') return deal(objective, true, own(sortedChunks(cells, chunk)), lanes);
  if (cells.kind === 'masked')
    return deal(objective, true, plain, lanes).map((lane) => withCells(lane, cells));
  const [first, ...others] = cells.layers.map((_, layer) => own(maskedChunks(cells, layer, chunk)));
  return [
    ...deal(objective, true, first!, lanes),
    ...others.flatMap((dealt) => deal(objective, false, dealt, lanes)),
  ];
}

function asRunning(dealt: Dealt[]): Dealt[] {
  return dealt.map(({ cell, chunk }) => ({ cell, chunk: { ...chunk, running: true } }));
}

/** Slices of `chunk` examples; the last one holds the rest. */
export function plainChunks(count: number, chunk: number): Chunk[] {
  return Array.from({ length: Math.ceil(count / chunk) }, (_, k) => ({
    start: k * chunk,
    end: Math.min((k + 1) * chunk, count),
  }));
}

/** A chunk and the cell that it counts for. */
interface Dealt {
  readonly cell: number | null;
  readonly chunk: Chunk;
}

/** Deals chunks to at most `lanes` lanes: neighbours together, of about as much work each. */
function deal(objective: number, whole: boolean, chunks: readonly Dealt[], lanes: number): Lane[] {
  const used = Math.min(lanes, chunks.length);
  const full = chunks.reduce((most, { chunk }) => Math.max(most, sizeOfChunk(chunk)), 1);
  // Without masks a last, smaller chunk counts as a whole one.
  const ends: number[] = [];
  for (const { chunk } of chunks) {
    ends.push((ends.at(-1) ?? 0) + (isMasked(chunk) ? sizeOfChunk(chunk) / full : 1));
  }
  const edges = Array.from({ length: used + 1 }, (_, lane) =>
    lane === used ? chunks.length : ends.findLastIndex((end) => end * used <= lane * ends.at(-1)!) + 1,
  );
  return Array.from({ length: used }, (_, lane) => ({
    objective,
    whole,
    pieces: piecesOf(chunks.slice(edges[lane], edges[lane + 1])),
  })).filter(({ pieces }) => pieces.length > 0);
}

/** Neighbours of one cell together. */
function piecesOf(chunks: readonly Dealt[]): Piece[] {
  const pieces: { cell: number | null; chunks: Chunk[] }[] = [];
  for (const { cell, chunk } of chunks) {
    if (pieces.at(-1)?.cell === cell) pieces.at(-1)!.chunks.push(chunk);
    else pieces.push({ cell, chunks: [chunk] });
  }
  return pieces;
}

/** Examples that smaller programs are a multiple of: vectors hold 8 or 16. */
const vector = 16;

/**
 * Sizes of the programs for what full chunks leave over of a cell: each a quarter of the one before, in whole vectors, so that few programs
 * serve all cells and little is computed in vain.
 */
export function smallerSizes(chunk: number): number[] {
  const sizes: number[] = [];
  for (let size = chunk; sizes.length < 3 && size > vector;) {
    size = Math.ceil(size / 4 / vector) * vector;
    if (size < chunk) sizes.push(size);
  }
  return sizes.length > 0 ? sizes : [chunk];
}

/** A run of a program costs about as much more as so many examples. */
const runCost = 64;

/** The sizes, largest first, that a rest of examples is cut into at the least cost; the last of them may be filled up. */
function cutsOf(rest: number, smaller: readonly number[]): { sizes: number[]; cost: number } {
  if (rest <= 0) return { sizes: [], cost: 0 };
  const size = smaller[0]!;
  const filled = { sizes: [size], cost: size + runCost };
  if (rest >= size) {
    const further = cutsOf(rest - size, smaller);
    return { sizes: [size, ...further.sizes], cost: filled.cost + further.cost };
  }
  if (smaller.length === 1) return filled;
  const finer = cutsOf(rest, smaller.slice(1));
  return finer.cost < filled.cost ? finer : filled;
}

/** Chunks of examples that are sorted by cell: of one cell each, its rest in smaller ones, the last of them filled up. */
function sortedChunks({ layers, count }: CellPartition, chunk: number): Dealt[] {
  const cellOf = layers[0]!;
  const smaller = smallerSizes(chunk);
  const dealt: Dealt[] = [];
  for (let cell = 0; cell < count; cell++) {
    let start = cellOf.indexOf(cell);
    const last = cellOf.lastIndexOf(cell) + 1;
    if (start < 0) continue;
    for (; start + chunk <= last; start += chunk) dealt.push({ cell, chunk: { start, end: start + chunk } });
    for (const size of cutsOf(last - start, smaller).sizes) {
      dealt.push({ cell, chunk: { start, end: Math.min(start + size, last), size } });
      start += size;
    }
  }
  return dealt;
}

/** For each cell of a layer the chunks of the whole in which it has examples or labels. */
function maskedChunks({ layers, rows = 1 }: CellPartition, layer: number, chunk: number): Dealt[] {
  const cellOf = layers[layer]!;
  const chunks = plainChunks(cellOf.length / rows, chunk);
  const inside = chunks.map(({ start, end }) => new Set(cellOf.subarray(start * rows, end * rows)));
  const cells = [...new Set(cellOf)].filter((cell) => cell >= 0).sort((a, b) => a - b);
  return cells.flatMap((cell) =>
    chunks.flatMap((one, k) => (inside[k]!.has(cell) ? [{ cell, chunk: { ...one, cell, layer } }] : [])),
  );
}

/** A lane of whole chunks with the cells in them, layer by layer; of a layer the cell with most rows in a chunk is what the others leave. */
function withCells(lane: Lane, { layers, rows = 1 }: CellPartition): Lane {
  const chunks = lane.pieces
    .flatMap((piece) => piece.chunks)
    .map((chunk) => ({ ...chunk, shared: true as const }));
  const byCell = layers.flatMap((cellOf, layer) => {
    const pieces = new Map<number, Chunk[]>();
    for (const chunk of chunks) {
      const counts = new Map<number, number>();
      for (const cell of cellOf.subarray(chunk.start * rows, chunk.end * rows)) counts.set(cell, (counts.get(cell) ?? 0) + 1); // prettier-ignore
      const largest = counts.has(-1) ? null : [...counts].reduce((most, next) => (next[1] > most[1] ? next : most))[0]; // prettier-ignore
      counts.delete(-1);
      for (const cell of counts.keys()) {
        const own = { ...chunk, cell, layer, ...(cell === largest ? { rest: true as const } : {}) };
        pieces.set(cell, [...(pieces.get(cell) ?? []), own]);
      }
    }
    return [...pieces].sort(([a], [b]) => a - b);
  });
  const cells = byCell.map(([cell, own]) => ({ cell, chunks: own }));
  return { ...lane, sharesForward: true, pieces: [{ cell: null, chunks }, ...cells] };
}

/** First piece of each lane, all lanes' pieces numbered through. */
export function firstPiecesOf(lanes: readonly Lane[]): number[] {
  let next = 0;
  return lanes.map(({ pieces }) => (next += pieces.length) - pieces.length);
}

/** Examples of the chunk's program. */
export function sizeOfChunk({ start, end, size = end - start }: Chunk): number {
  return size;
}

/** Whether some of the examples that its program is fed do not count. */
export function isMasked({ size, cell, shared }: Chunk): boolean {
  return size !== undefined || cell !== undefined || shared === true;
}

/** A program that chunks need: of so many examples, with masks or without, run again or not, with running statistics or those of the chunk. */
export interface ProgramKind {
  readonly examples: number;
  readonly masked: boolean;
  readonly shared: boolean;
  readonly statistics: StatisticsKind;
}

/** Names a kind of program, in maps. */
export function programKey(chunk: Chunk): string {
  return `${sizeOfChunk(chunk)}${isMasked(chunk) ? ' masked' : ''}${chunk.shared ? ' shared' : ''}${chunk.running ? ' running' : ''}`;
}

/** The kinds of programs that occur, by their keys. */
export function programKinds(lanes: readonly Lane[]): Map<string, ProgramKind> {
  const chunks = lanes.flatMap(({ pieces }) => pieces.flatMap((piece) => piece.chunks));
  return new Map(
    chunks.map((chunk) => [
      programKey(chunk),
      {
        examples: sizeOfChunk(chunk),
        masked: isMasked(chunk),
        shared: chunk.shared === true,
        statistics: chunk.running ? 'running' : 'chunk',
      },
    ]),
  );
}
