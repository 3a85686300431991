import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { attempt, damaged, sha256, storeFailure } from './files.js';
import { type JournalRecord, recordSchema } from './records.js';

/*
 * The journal is a text file of one JSON object a line: {"check":"…","record":{…}}. `check` is the SHA-256 of the line before's check and of
 * this record's text, so a line that is changed, missing or moved is noticed. Each line is one write and one sync, hence only the last line can
 * be torn by a crash.
 */

const prefix = '{"check":"';
const middle = '","record":';
const checkLength = 64;
const recordStart = prefix.length + checkLength + middle.length;
/** What stands for the check of the line before the first. */
const origin = '0'.repeat(checkLength);

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

function checkOf(previous: string, record: Uint8Array): string {
  return sha256(Buffer.concat([Buffer.from(previous), record]));
}

function frame(check: string, text: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(prefix + check + middle), text, Buffer.from('}\n')]);
}

/** Parses a line with its line break. A damaged line still gives the check that it states, so that the next ones can be judged. */
function decodeLine(previous: string, line: Buffer): Pick<JournalLine, 'check' | 'record'> {
  const text = line.subarray(recordStart, -2);
  const check = line.subarray(prefix.length, prefix.length + checkLength).toString('latin1');
  const sound = frame(checkOf(previous, text), text).equals(line);
  return { check, record: sound ? recordSchema.parse(JSON.parse(text.toString('utf8'))) : null };
}

/** Lines with their line breaks; the last one may lack it. */
async function* linesOf(path: string): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const block of createReadStream(path) as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, block]);
    for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
      yield rest.subarray(0, at + 1);
      rest = rest.subarray(at + 1);
    }
  }
  if (rest.length > 0) yield rest;
}

/** All lines of a journal in order, damaged ones included. */
export async function* readJournal(path: string): AsyncGenerator<JournalLine> {
  let [number, end, previous] = [0, 0, origin];
  try {
    for await (const line of linesOf(path)) {
      number++;
      end += line.length;
      const decoded = decodeLine(previous, line);
      previous = decoded.check;
      yield { number, end, ...decoded };
    }
  } catch (error) {
    throw storeFailure(`read ${path}`, error);
  }
}

/** A line that is whole. */
export type SoundLine = JournalLine & { readonly record: JournalRecord };

/**
 * The lines of a journal up to a torn last one, which a crash may leave.
 *
 * @throws StoreError where a line before the last is damaged.
 */
export async function* soundLines(path: string): AsyncGenerator<SoundLine> {
  let torn: number | null = null;
  for await (const line of readJournal(path)) {
    if (torn !== null) throw damaged(path, `line ${torn} was changed`);
    const { record } = line;
    if (record === null) torn = line.number;
    else yield { ...line, record };
  }
}

/** Appends to a journal, one line at a time. */
export class JournalWriter {
  private constructor(
    readonly path: string,
    readonly file: FileHandle,
    private end: number,
    private check: string,
  ) {}

  /** Opens a journal after its last sound line and cuts off what a crash may have left behind that. Null: it has none yet. */
  static async open(path: string, last: JournalLine | null): Promise<JournalWriter> {
    return attempt(`write ${path}`, async () => {
      const file = await open(path, last === null ? 'w' : 'r+');
      await file.truncate(last?.end ?? 0);
      return new JournalWriter(path, file, last?.end ?? 0, last?.check ?? origin);
    });
  }

  /** Writes one record; it is durable when this resolves. Where that fails, the journal is as before. */
  async append(record: JournalRecord): Promise<void> {
    const text = Buffer.from(JSON.stringify(record));
    const check = checkOf(this.check, text);
    const line = frame(check, text);
    try {
      await attempt(`write ${this.path}`, async () => {
        await writeAt(this.file, line, this.end);
        await this.file.datasync();
      });
    } catch (error) {
      await this.file.truncate(this.end).catch(() => undefined);
      throw error;
    }
    this.end += line.length;
    this.check = check;
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

async function writeAt(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
