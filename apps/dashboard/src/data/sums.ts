import type { RunReader } from 'lossledger/format';

type Numbers = ArrayLike<number>;

/** Rows that are asked for at a time, ahead of the one that is added. */
const ahead = 8;

/** Reads sums of rows that were added up before, if there are any. */
export interface Checkpoints {
  /** Rows between two of them. */
  readonly stride: number;
  /** Largest number of rows of which there is one. */
  readonly upTo: number;
  /** Sum [width] of the first `rows` rows, a multiple of the stride. */
  read(rows: number): Promise<Float64Array>;
}

/** The sum of the first rows of an array, moved to and fro by adding and taking away rows; far moves begin at a checkpoint. */
class Walker {
  #sums: Float64Array;
  #at = 0;

  constructor(
    readonly width: number,
    readonly row: (row: number) => Promise<Numbers>,
    readonly checkpoints: () => Checkpoints | null,
  ) {
    this.#sums = new Float64Array(width);
  }

  /** Null where it was not wanted any more on the way. */
  async moveTo(target: number, isWanted: () => boolean): Promise<Float64Array | null> {
    const begun = this.#begin(target);
    const step = target > begun.at ? 1 : -1;
    const rows: Promise<Numbers>[] = [];
    let left = Math.abs(target - begun.at);
    const askAhead = (at: number) => {
      while (rows.length < Math.min(ahead, left)) {
        const next = at + rows.length * step;
        const asked = this.row(step > 0 ? next : next - 1);
        // Those that nobody waits for any more may fail.
        asked.catch(() => undefined);
        rows.push(asked);
      }
    };
    // Rows are on their way together with the sum that they are added to.
    askAhead(begun.at);
    if (begun.sums !== null) [this.#sums, this.#at] = [await begun.sums, begun.at];
    for (; left > 0; left--) {
      if (!isWanted()) return null;
      askAhead(this.#at);
      const row = await rows.shift()!;
      const sums = this.#sums;
      if (step > 0) for (let k = 0; k < sums.length; k++) sums[k]! += row[k]!;
      else for (let k = 0; k < sums.length; k++) sums[k]! -= row[k]!;
      this.#at += step;
    }
    return isWanted() ? this.#sums : null;
  }

  /** Where a move begins: at sums that have to be read, or (null) at those that are here. */
  #begin(target: number): { at: number; sums: Promise<Float64Array> | null } {
    const walk = Math.abs(target - this.#at);
    const found = this.checkpoints();
    const nearest =
      found === null ? 0 : Math.min(found.upTo, Math.round(target / found.stride) * found.stride);
    const start = nearest > 0 && Math.abs(target - nearest) + 2 < target ? nearest : 0;
    if (walk <= Math.abs(target - start) + (start > 0 ? 2 : 0)) return { at: this.#at, sums: null };
    if (start === 0) return { at: 0, sums: Promise.resolve(new Float64Array(this.width)) };
    return { at: start, sums: found!.read(start) };
  }
}

/** Sums of the rows [from, to) of an array, for a cursor that moves. Asked anew, it leaves what was asked before. */
export class RangeSums {
  readonly #ends: Walker;
  readonly #starts: Walker;
  readonly #row: (row: number) => Promise<Numbers>;
  readonly #read: (row: number) => Promise<Numbers>;
  /** Rows beside the cursor, which the next step asks for: they are read before it does. */
  #near = new Map<number, Promise<Numbers>>();
  #turn = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    reader: () => Promise<RunReader>,
    name: string,
    readonly width: number,
    checkpoints: () => Checkpoints | null = () => null,
  ) {
    let read: Promise<ReturnType<RunReader['rowReader']>> | null = null;
    this.#read = async (row) => {
      read ??= reader().then((own) => own.rowReader());
      return (await read)(name, row);
    };
    this.#row = (row) => this.#near.get(row) ?? this.#read(row);
    this.#ends = new Walker(width, this.#row, checkpoints);
    this.#starts = new Walker(width, this.#row, checkpoints);
  }

  /** Sums [width]; null where something else was asked for meanwhile. Throws StoreError where a row is damaged. */
  async over(from: number, to: number): Promise<Numbers | null> {
    const turn = ++this.#turn;
    const isWanted = () => turn === this.#turn;
    const found = await this.#over(from, to, isWanted);
    if (found !== null) this.#readNear(to - from === 1 ? [from - 1, from + 1] : [to - 1, to]);
    return found;
  }

  #readNear(rows: readonly number[]): void {
    const near = new Map(rows.map((row) => [row, this.#near.get(row) ?? this.#read(row)]));
    for (const [row, numbers] of near)
      // One that is not there yet may be later, and one that fails is reported to who asks for it.
      numbers.catch(() => this.#near.delete(row));
    this.#near = near;
  }

  async #over(from: number, to: number, isWanted: () => boolean): Promise<Numbers | null> {
    if (to - from === 1) {
      const row = await this.#row(from);
      return isWanted() ? row : null;
    }
    const work = this.#last.then(async () => {
      if (!isWanted()) return null;
      if (from === 0) return this.#ends.moveTo(to, isWanted);
      const moves = [this.#ends.moveTo(to, isWanted), this.#starts.moveTo(from, isWanted)] as const;
      // Where one fails, the other is not to go on while something else is asked of it.
      await Promise.allSettled(moves);
      const [end, start] = await Promise.all(moves);
      return end === null || start === null ? null : difference(end, start);
    });
    this.#last = work.catch(() => undefined);
    return work;
  }
}

function difference(end: Float64Array, start: Float64Array): Float64Array {
  const found = new Float64Array(end.length);
  for (let k = 0; k < found.length; k++) found[k] = end[k]! - start[k]!;
  return found;
}
