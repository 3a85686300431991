import { strFromU8, strToU8 } from 'fflate';
import { journalName, type Place } from './context.js';
import { type JournalRecord, recordSchema } from './records.js';
import { damaged, type Digest, sha256 } from './source.js';

/*
 * The journal is a text file of one JSON object a line: {"check":"…","record":{…}}. `check` is the SHA-256 of the line before's check and of
 * this record's text, so a line that is changed, missing or moved is noticed. Each line is one write and one sync, hence only the last line can
 * be torn by a crash.
 */

const prefix = strToU8('{"check":"');
const middle = strToU8('","record":');
const end = strToU8('}\n');
const checkLength = 64;
const recordStart = prefix.length + checkLength + middle.length;
const lineBreak = 10;
/** Bytes that are read at a time. */
const blockBytes = 2 ** 20;

/** What stands for the check of the line before the first. */
export const origin = '0'.repeat(checkLength);

/** A line as it was read. */
export interface JournalLine {
  /** From 1. */
  readonly number: number;
  /** Bytes of the journal up to and with this line. */
  readonly end: number;
  readonly check: string;
  /** Null where the line is torn or damaged. */
  readonly record: JournalRecord | null;
}

/** A line that is whole. */
export type SoundLine = JournalLine & { readonly record: JournalRecord };

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A record as a line that follows the one with check `previous`. */
export function encodeLine(
  previous: string,
  record: JournalRecord,
  digest: Digest,
): { readonly line: Uint8Array; readonly check: string } {
  return frame(previous, strToU8(JSON.stringify(record)), digest);
}

function frame(previous: string, text: Uint8Array, digest: Digest): { line: Uint8Array; check: string } {
  const check = checkOf(previous, text, digest);
  return { check, line: join(prefix, strToU8(check), middle, text, end) };
}

/** Memory for what is digested, used again: a journal may have hundreds of thousands of lines. */
let scratch = new Uint8Array(0);

function checkOf(previous: string, text: Uint8Array, digest: Digest): string {
  const length = previous.length + text.length;
  if (scratch.length < length) scratch = new Uint8Array(2 * length);
  // Digits alone, hence a byte each.
  for (let k = 0; k < previous.length; k++) scratch[k] = previous.charCodeAt(k);
  scratch.set(text, previous.length);
  return digest(scratch.subarray(0, length));
}

/** Whether a line has these bytes from a place on. */
function holdsAt(line: Uint8Array, bytes: Uint8Array, at: number): boolean {
  return bytes.every((byte, k) => byte === line[at + k]);
}

/** Parses a line with its line break. A damaged line still gives the check that it states, so that the next ones can be judged. */
function decodeLine(
  previous: string,
  line: Uint8Array,
  digest: Digest,
): Pick<JournalLine, 'check' | 'record'> {
  const text = line.subarray(recordStart, -end.length);
  const check = strFromU8(line.subarray(prefix.length, prefix.length + checkLength), true);
  const isFramed =
    holdsAt(line, prefix, 0) &&
    holdsAt(line, middle, prefix.length + checkLength) &&
    holdsAt(line, end, recordStart + text.length);
  if (!isFramed || checkOf(previous, text, digest) !== check) return { check, record: null };
  const parsed = recordSchema.safeParse(JSON.parse(strFromU8(text)));
  return { check, record: parsed.success ? parsed.data : null };
}

/** Lines with their line breaks from a byte on; the last one may lack it. */
async function* linesOf({ source }: Place, from: number): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0);
  for (let start = from; ; start += blockBytes) {
    const block = (await source.get(journalName, { start, end: start + blockBytes })) ?? new Uint8Array(0);
    rest = rest.length === 0 ? block : join(rest, block);
    let done = 0;
    for (let at = rest.indexOf(lineBreak); at >= 0; at = rest.indexOf(lineBreak, done)) {
      yield rest.subarray(done, at + 1);
      done = at + 1;
    }
    rest = rest.subarray(done);
    if (block.length < blockBytes) break;
  }
  if (rest.length > 0) yield rest;
}

/** All lines of a run's journal in order, damaged ones included; only those behind a known one where it is given. */
export async function* readJournal(run: Place, known?: JournalLine | null): AsyncGenerator<JournalLine> {
  let [number, bytes, previous] = [known?.number ?? 0, known?.end ?? 0, known?.check ?? origin];
  for await (const line of linesOf(run, bytes)) {
    number++;
    bytes += line.length;
    const decoded = decodeLine(previous, line, run.digest ?? sha256);
    previous = decoded.check;
    yield { number, end: bytes, ...decoded };
  }
}

/**
 * The lines of a journal, behind a known one where it is given, up to a torn last one, which a crash may leave.
 *
 * @throws StoreError where a line before the last is damaged.
 */
export async function* soundLines(run: Place, known?: JournalLine | null): AsyncGenerator<SoundLine> {
  let torn: number | null = null;
  for await (const line of readJournal(run, known)) {
    if (torn !== null) throw damaged(`${run.place}/${journalName}`, `line ${torn} was changed`);
    const { record } = line;
    if (record === null) torn = line.number;
    else yield { ...line, record };
  }
}
