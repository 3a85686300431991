import { NumericError, StoreError } from '../errors.js';
import type { LedgerRow } from '../ledger/columns.js';
import type { MeasuredSegment } from '../ledger/measure-range.js';
import type { Numbers } from '../ledger/types.js';
import { firstNonFinite } from '../num/sums.js';
import { type ArraySpec, bytesOf, emptyRow, isByRow, type StoredDType, widthOf } from './layout/arrays.js';
import { decodeInto, decodeNumbers, encodeNumbers, numbersAt, readChunk } from './codec.js';
import { pendingPath, type RunContext } from './context.js';
import { type ByteRange, damagedRecord } from './source.js';
import type { RunState } from './state.js';

/*
 * A segment's small columns are one record of fixed size: the rows of all window arrays end to end, little-endian; of an array by row of θ,
 * those at the segment's start and end. The records of a window of segments are a file of `pending/` until all of them are there, and the
 * first segment behind them is; then each array gets one chunk file, and the records are deleted. So what stands at the end of a window is
 * known as the start of the next.
 */

/** Bytes of one segment's record. */
export function recordBytes({ recordPlaces }: RunContext): number {
  return Math.max(0, ...Array.from(recordPlaces.values(), ({ end }) => end));
}

/** What a measured segment gives to an array: one row [width], or of an array by row of θ two. */
export function numbersOf({ rows }: MeasuredSegment, spec: ArraySpec): Numbers {
  const { objective, dtype } = spec;
  const value = valueOf(rows[objective ?? 0]!, spec);
  const list = typeof value === 'number' ? [value] : value;
  return 'buffer' in list ? list : arrayOf(dtype, list);
}

/** What a row holds of an array, of its column and of its grouping where there is one: one row [width], or of an array by row of θ two. */
export function valueOf(
  row: LedgerRow,
  { column, grouping }: Pick<ArraySpec, 'column' | 'grouping'>,
): number | Numbers | readonly number[] {
  const value = row[column as keyof LedgerRow];
  const own = grouping === null ? value : (value as Readonly<Record<string, Numbers>>)[grouping]!;
  return own as number | Numbers | readonly number[];
}

function arrayOf(dtype: StoredDType, numbers: readonly number[]): Numbers {
  if (dtype === 'uint8') return Uint8Array.from(numbers);
  if (dtype === 'int32') return Int32Array.from(numbers);
  return dtype === 'float64' ? Float64Array.from(numbers) : Float32Array.from(numbers);
}

/** The record of a measured segment. Throws NumericError where a number is not finite. */
export function encodeRecord(context: RunContext, segment: MeasuredSegment): Uint8Array {
  const record = new Uint8Array(recordBytes(context));
  for (const [spec, { start, end }] of context.recordPlaces) {
    const numbers = numbersOf(segment, spec);
    requireFinite(spec, numbers, segment.segment);
    encodeNumbers(numbers, record.subarray(start, end));
  }
  return record;
}

function requireFinite({ name }: ArraySpec, numbers: Numbers, iteration: number): void {
  if (numbers instanceof Int32Array || numbers instanceof Uint8Array) return;
  const at = firstNonFinite(numbers);
  if (at < 0) return;
  throw new NumericError(
    {
      given: `${name} of iteration ${iteration} is ${numbers[at]!}`,
      expected: 'finite numbers',
      remedy: 'train with a lower learning rate; what was stored before stays valid',
    },
    { iteration },
  );
}

/** What a record holds of one array: one row [width], or of an array by row of θ two. Throws TypeError for an array that is in none. */
export function decodeRecord({ recordPlaces }: RunContext, record: Uint8Array, spec: ArraySpec): Numbers {
  const place = recordPlaces.get(spec);
  if (place === undefined) throw new TypeError(`${spec.name} is in no record`);
  return decodeNumbers(record.subarray(place.start, place.end), spec.dtype);
}

/** What records hold of all arrays, one record after the other: on memory that is used again, since making views takes longer than all that is done with them. */
export class RecordView {
  readonly #bytes: Uint8Array;
  /** Arrays whose numbers lie beside the record, where their place in it is none for numbers of their kind. */
  readonly #beside: { readonly place: ByteRange; readonly numbers: Numbers }[] = [];
  /** Those of the record that was shown last: one row [width], or of an array by row of θ two. */
  readonly numbers: ReadonlyMap<ArraySpec, Numbers>;

  constructor(context: RunContext) {
    this.#bytes = new Uint8Array(recordBytes(context));
    this.numbers = new Map(
      Array.from(context.recordPlaces, ([spec, place]) => {
        const bytes = this.#bytes.subarray(place.start, place.end);
        const shared = numbersAt(bytes, spec.dtype);
        const numbers = shared ?? decodeNumbers(bytes, spec.dtype);
        if (shared === null) this.#beside.push({ place, numbers });
        return [spec, numbers];
      }),
    );
  }

  /** Shows a record, until the next one. */
  show(record: Uint8Array): void {
    this.#bytes.set(record);
    for (const { place, numbers } of this.#beside)
      decodeInto(numbers, this.#bytes.subarray(place.start, place.end));
  }
}

/** Reads the records of a window's stored segments, checksums compared: by segment. Throws StoreError where one is damaged. */
export async function readRecords(
  context: RunContext,
  { segments, records }: RunState,
  window: number,
): Promise<Map<number, Uint8Array>> {
  const path = `${context.place}/${pendingPath(window)}`;
  const size = recordBytes(context);
  const first = window * context.windowRows;
  const bytes = (await context.source.get(pendingPath(window))) ?? new Uint8Array(0);
  const found = new Map<number, Uint8Array>();
  for (let segment = first; segment < first + context.windowRows; segment++) {
    if (segments[segment] !== 1) continue;
    const record = bytes.subarray((segment - first) * size, (segment - first + 1) * size);
    if (!records.is(segment, context.digest(record))) throw damagedRecord(path, segment);
    found.set(segment, record);
  }
  return found;
}

/** Reads the record of one stored segment whose window is not written yet, its checksum compared. Throws StoreError where it is damaged. */
export async function readRecord(
  context: RunContext,
  { records }: RunState,
  segment: number,
): Promise<Uint8Array> {
  const size = recordBytes(context);
  const path = pendingPath(Math.floor(segment / context.windowRows));
  const start = (segment % context.windowRows) * size;
  const record = (await context.source.get(path, { start, end: start + size })) ?? new Uint8Array(0);
  if (records.is(segment, context.digest(record))) return record;
  throw damagedRecord(`${context.place}/${path}`, segment);
}

/** A chunk that is ready to be stored. */
export interface Chunk {
  readonly spec: ArraySpec;
  /** Its number along the rows. */
  readonly chunk: number;
  readonly numbers: Numbers;
}

/**
 * The chunks of all arrays of a window, all of whose segments are stored, and the first one behind it.
 *
 * @throws StoreError where a record is damaged, or neighbouring segments state two numbers of one row of θ, such as two losses.
 */
export async function chunksOfWindow(context: RunContext, state: RunState, window: number): Promise<Chunk[]> {
  const bySegment = await readRecords(context, state, window);
  const from = window * context.windowRows;
  const to = Math.min(context.manifest.trajectory.iterations, from + context.windowRows);
  const records = Array.from({ length: to - from }, (_, k) => bySegment.get(from + k)!);
  const behind = new WindowReader(context, state);
  const chunks: Chunk[] = [];
  for (const spec of context.windowArrays)
    chunks.push(...(await chunksOfArray(context, spec, window, records, behind)));
  return chunks;
}

async function chunksOfArray(
  context: RunContext,
  spec: ArraySpec,
  window: number,
  records: readonly Uint8Array[],
  behind: WindowReader,
): Promise<Chunk[]> {
  const T = context.manifest.trajectory.iterations;
  const from = window * context.windowRows;
  const to = from + records.length;
  const width = widthOf(spec);
  const rowBytes = width * bytesOf[spec.dtype];
  const place = context.recordPlaces.get(spec)!;
  const bytes = encodeNumbers(emptyRow(spec.dtype, spec.chunkRows * width));
  for (let k = 0; k < records.length; k++) copyBytes(records[k]!, place.start, bytes, k * rowBytes, rowBytes);
  const numbers = numbersAt(bytes, spec.dtype) ?? decodeNumbers(bytes, spec.dtype);
  const own = { spec, chunk: window, numbers };
  if (!isByRow(spec)) return [own];
  for (let k = 1; k < records.length; k++) requireMeet(context, spec, from + k, records[k - 1]!, records[k]!);
  const end = decodeRecord(context, records.at(-1)!, spec).subarray(width);
  if (to < T) requireSame(context, spec, to, end, await behind.row(spec, to));
  // The last row of θ has no segment that starts there.
  else if (T - from < context.windowRows) numbers.set(end, (T - from) * width);
  else {
    const last = emptyRow(spec.dtype, numbers.length);
    last.set(end);
    return [own, { spec, chunk: window + 1, numbers: last }];
  }
  return [own];
}

/** Up to so many bytes are copied faster one by one than through a view. */
const fewBytes = 64;

function copyBytes(from: Uint8Array, at: number, to: Uint8Array, place: number, count: number): void {
  if (count > fewBytes) to.set(from.subarray(at, at + count), place);
  else for (let k = 0; k < count; k++) to[place + k] = from[at + k]!;
}

/** Whether two neighbouring segments' records state the same numbers, bit for bit, of the row of θ between them; true for an array that is not by row. */
export function doMeet(
  { recordPlaces }: RunContext,
  spec: ArraySpec,
  record: Uint8Array,
  next: Uint8Array,
): boolean {
  if (!isByRow(spec)) return true;
  const { start, end } = recordPlaces.get(spec)!;
  const bytes = (end - start) / 2;
  let k = 0;
  while (k < bytes && record[start + bytes + k] === next[start + k]) k++;
  return k === bytes;
}

/** Throws StoreError where two neighbouring segments state two numbers of one row of θ. */
function requireMeet(
  context: RunContext,
  spec: ArraySpec,
  segment: number,
  before: Uint8Array,
  own: Uint8Array,
): void {
  if (doMeet(context, spec, before, own)) return;
  const width = widthOf(spec);
  const [end, start] = [before, own].map((record) => decodeRecord(context, record, spec));
  requireSame(context, spec, segment, end!.subarray(width), start!.subarray(0, width));
}

function requireSame(
  { place }: RunContext,
  { name }: ArraySpec,
  row: number,
  end: Numbers,
  start: Numbers,
): void {
  let at = 0;
  while (at < end.length && Object.is(end[at], start[at])) at++;
  if (at === end.length) return;
  throw new StoreError({
    given: `segments ${row - 1} and ${row} of ${place}, which state two numbers of ${name} in row ${row}: ${end[at]!} and ${start[at]!}`,
    expected: 'one loss at one θ, whichever segment it was measured for',
    remedy: 'measure again on one kind of machine with one version; lca verify says what is stored',
  });
}

/** Reads rows of window arrays, wherever they are; what was read last is kept. */
export class WindowReader {
  #records: { readonly window: number; readonly found: Promise<Map<number, Uint8Array>> } | null = null;
  readonly #chunks = new Map<ArraySpec, { readonly chunk: number; readonly numbers: Promise<Numbers> }>();

  constructor(
    readonly context: RunContext,
    readonly state: RunState,
  ) {}

  /** One row [width] of an array, of a stored segment; of an array by row of θ also the row at the end of one. */
  async row(spec: ArraySpec, row: number): Promise<Numbers> {
    const { segments } = this.state;
    return isByRow(spec) && segments[row] !== 1 ? this.#cells(spec, row - 1, 1) : this.#cells(spec, row, 0);
  }

  /** A segment's row; `end` is 1 for the row of θ that it ends with. */
  async #cells(spec: ArraySpec, segment: number, end: 0 | 1): Promise<Numbers> {
    const { windowRows } = this.context;
    const width = widthOf(spec);
    const window = Math.floor(segment / windowRows);
    if (this.state.windows[window] === 1) {
      const numbers = await this.#chunk(spec, Math.floor((segment + end) / windowRows));
      const at = ((segment + end) % windowRows) * width;
      return numbers.subarray(at, at + width);
    }
    const record = (await this.#recordsOf(window)).get(segment)!;
    return decodeRecord(this.context, record, spec).subarray(end * width, (end + 1) * width);
  }

  #chunk(spec: ArraySpec, chunk: number): Promise<Numbers> {
    const known = this.#chunks.get(spec);
    if (known?.chunk === chunk) return known.numbers;
    const numbers = readChunk(this.context, this.state, spec, chunk);
    this.#chunks.set(spec, { chunk, numbers });
    return numbers;
  }

  #recordsOf(window: number): Promise<Map<number, Uint8Array>> {
    if (this.#records?.window !== window) {
      this.#records = { window, found: readRecords(this.context, this.state, window) };
    }
    return this.#records.found;
  }
}
