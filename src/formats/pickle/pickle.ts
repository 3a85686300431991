import { strFromU8 } from 'fflate';
import { damaged, misfit } from '../source.js';

/** A class or function that a pickle names. It is never looked up, let alone called. */
export class PickleGlobal {
  constructor(readonly name: string) {}
}

/** What calling or building something would have made: the name and the arguments, as data. */
export class PickleObject {
  /** What is set on the object after it is made. */
  state: PickleValue = null;
  /** Entries that are set on it, where it is a kind of dictionary; of a kind of list, by their number. */
  readonly entries = new Map<PickleValue, PickleValue>();

  constructor(
    readonly made: PickleValue,
    readonly args: PickleValue,
  ) {}
}

/** What a pickle refers to that is stored elsewhere, such as the numbers of a tensor. */
export class PickleReference {
  constructor(readonly id: PickleValue) {}
}

/** Tuples, lists and sets are arrays, dictionaries are maps. A value may hold itself. */
export type PickleValue =
  | null | boolean | number | bigint | string | Uint8Array
  | PickleValue[] | Map<PickleValue, PickleValue> | PickleGlobal | PickleObject | PickleReference; // prettier-ignore

/** Opcodes of one pickle at most, and entries of its stack and memo: bounds work and memory. */
const maxOpcodes = 2 ** 22;

const mark = Symbol('mark');
type StackEntry = PickleValue | typeof mark;

/** A value, and the place behind the pickle that it was read from. */
export interface Unpickled {
  readonly value: PickleValue;
  readonly end: number;
}

/**
 * Reads a pickle as data. Nothing that it names is looked up or run: classes and calls stay names with their arguments. Only the
 * opcodes that containers of tensors need are known. Throws DataError, naming `file`, for any other and for damage.
 */
export function readPickle(bytes: Uint8Array, file: string, start = 0): Unpickled {
  const machine = new Machine(bytes, file, start);
  return { value: machine.run(), end: machine.at };
}

class Machine {
  readonly #view: DataView;
  readonly #stack: StackEntry[] = [];
  readonly #memo = new Map<number, PickleValue>();

  constructor(
    readonly bytes: Uint8Array,
    readonly file: string,
    public at: number,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  run(): PickleValue {
    for (let count = 0; count < maxOpcodes; count++) {
      const opcode = this.#byte();
      if (opcode === 0x2e) return this.#pop();
      const step = opcodes.get(opcode);
      if (step === undefined) {
        throw this.fail(
          `opcode 0x${opcode.toString(16).padStart(2, '0')}`,
          'the opcodes of tensors in containers',
        );
      }
      step(this);
    }
    throw misfit(
      this.file,
      `a pickle of more than ${maxOpcodes} steps`,
      'a table of tensors',
      'save the model in a file of its own: torch.save(model.state_dict(), path); long lists beside it as arrays, or elsewhere',
    );
  }

  fail(found: string, expected: string): Error {
    return damaged(this.file, `a pickle with ${found}`, expected);
  }

  /** The next `length` bytes; throws where there are fewer. */
  take(length: number): Uint8Array {
    if (!(length >= 0 && this.at + length <= this.bytes.length))
      throw this.fail('an end too early', 'a whole pickle');
    return this.bytes.subarray(this.at, (this.at += length));
  }

  #byte(): number {
    return this.take(1)[0]!;
  }

  /** A little-endian number of 1, 2, 4 or 8 bytes. */
  unsigned(width: 1 | 2 | 4 | 8): number {
    const at = this.at;
    this.take(width);
    if (width === 8) return Number(this.#view.getBigUint64(at, true));
    return width === 1
      ? this.#view.getUint8(at)
      : width === 2
        ? this.#view.getUint16(at, true)
        : this.#view.getUint32(at, true);
  }

  signed(): number {
    return this.unsigned(4) | 0;
  }

  double(): number {
    const at = this.at;
    this.take(8);
    return this.#view.getFloat64(at);
  }

  /** An integer of any length up to 255 bytes, as PyTorch's magic numbers are. */
  long(width: 1 | 4): bigint {
    const length = this.unsigned(width);
    if (length > 255) throw this.fail('an integer of more than 255 bytes', 'the numbers of tensors');
    const bytes = this.take(length);
    const unsigned = bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
    return BigInt.asIntN(8 * Math.max(1, bytes.length), unsigned);
  }

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    const text = strFromU8(this.take((end < 0 ? Infinity : end) - this.at));
    this.at++;
    return text;
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  pushMark(): void {
    this.#stack.push(mark);
  }

  #pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined || value === mark) throw this.fail('nothing to take', 'a whole pickle');
    return value;
  }

  /** The last `count` values in order. */
  popMany(count: number): PickleValue[] {
    return Array.from({ length: count }, () => this.#pop()).reverse();
  }

  /** The values above the last mark. */
  popMarked(): PickleValue[] {
    const from = this.#stack.lastIndexOf(mark);
    if (from < 0) throw this.fail('no mark', 'a whole pickle');
    return this.#stack.splice(from).slice(1) as PickleValue[];
  }

  top(): PickleValue {
    const value = this.#pop();
    this.push(value);
    return value;
  }

  remember(key: number): void {
    this.#memo.set(key, this.top());
  }

  rememberNext(): void {
    this.remember(this.#memo.size);
  }

  recall(key: number): void {
    const value = this.#memo.get(key);
    if (value === undefined) throw this.fail('a reference to nothing', 'a whole pickle');
    this.push(value);
  }

  /** Adds values to the list below them, or to an object that is a kind of list. */
  append(values: readonly PickleValue[]): void {
    const list = this.top();
    if (list instanceof PickleObject) {
      for (const value of values) list.entries.set(list.entries.size, value);
      return;
    }
    if (!Array.isArray(list)) throw this.fail('values added to no list', 'a whole pickle');
    for (const value of values) list.push(value);
  }

  /** Sets keys and values, in turn, in the dictionary below them. */
  setItems(items: readonly PickleValue[]): void {
    const target = this.top();
    const entries = target instanceof PickleObject ? target.entries : target;
    if (!(entries instanceof Map)) throw this.fail('keys set in no dictionary', 'a whole pickle');
    for (let k = 0; k + 1 < items.length; k += 2) entries.set(items[k]!, items[k + 1]!);
  }

  pushDictionary(): void {
    const items = this.popMarked();
    this.push(new Map());
    this.setItems(items);
  }

  build(): void {
    const [object, state] = this.popMany(2) as [PickleValue, PickleValue];
    if (object instanceof PickleObject) object.state = state;
    this.push(object);
  }
}

function pushText(machine: Machine, width: 1 | 4 | 8): void {
  machine.push(strFromU8(machine.take(machine.unsigned(width))));
}

function pushCall(machine: Machine): void {
  const [made, args] = machine.popMany(2) as [PickleValue, PickleValue];
  machine.push(new PickleObject(made, args));
}

const opcodes: ReadonlyMap<number, (machine: Machine) => void> = new Map<number, (machine: Machine) => void>([
  [0x80, (m) => m.take(1)], // PROTO
  [0x95, (m) => m.take(8)], // FRAME
  [0x28, (m) => m.pushMark()],
  [0x4e, (m) => m.push(null)],
  [0x88, (m) => m.push(true)],
  [0x89, (m) => m.push(false)],
  [0x4a, (m) => m.push(m.signed())], // BININT
  [0x4b, (m) => m.push(m.unsigned(1))],
  [0x4d, (m) => m.push(m.unsigned(2))],
  [0x8a, (m) => m.push(m.long(1))], // LONG1
  [0x8b, (m) => m.push(m.long(4))],
  [0x47, (m) => m.push(m.double())], // BINFLOAT
  [0x58, (m) => pushText(m, 4)], // BINUNICODE
  [0x8c, (m) => pushText(m, 1)],
  [0x8d, (m) => pushText(m, 8)],
  [0x42, (m) => m.push(m.take(m.unsigned(4)))], // BINBYTES
  [0x43, (m) => m.push(m.take(m.unsigned(1)))],
  [0x8e, (m) => m.push(m.take(m.unsigned(8)))], // BINBYTES8
  [0x96, (m) => m.push(m.take(m.unsigned(8)))], // BYTEARRAY8
  [0x54, (m) => m.push(m.take(m.unsigned(4)))], // BINSTRING
  [0x55, (m) => m.push(strFromU8(m.take(m.unsigned(1)), true))],
  [0x29, (m) => m.push([])], // EMPTY_TUPLE
  [0x5d, (m) => m.push([])], // EMPTY_LIST
  [0x8f, (m) => m.push([])], // EMPTY_SET
  [0x90, (m) => m.append(m.popMarked())], // ADDITEMS
  [0x91, (m) => m.push(m.popMarked())], // FROZENSET
  [0x7d, (m) => m.push(new Map())],
  [0x64, (m) => m.pushDictionary()], // DICT
  [0x74, (m) => m.push(m.popMarked())], // TUPLE
  [0x6c, (m) => m.push(m.popMarked())], // LIST
  [0x85, (m) => m.push(m.popMany(1))],
  [0x86, (m) => m.push(m.popMany(2))],
  [0x87, (m) => m.push(m.popMany(3))],
  [0x61, (m) => m.append(m.popMany(1))],
  [0x65, (m) => m.append(m.popMarked())],
  [0x73, (m) => m.setItems(m.popMany(2))],
  [0x75, (m) => m.setItems(m.popMarked())],
  [0x30, (m) => void m.popMany(1)], // POP
  [0x31, (m) => void m.popMarked()],
  [0x32, (m) => m.push(m.top())], // DUP
  [0x71, (m) => m.remember(m.unsigned(1))], // BINPUT
  [0x72, (m) => m.remember(m.unsigned(4))],
  [0x94, (m) => m.rememberNext()], // MEMOIZE
  [0x68, (m) => m.recall(m.unsigned(1))],
  [0x6a, (m) => m.recall(m.unsigned(4))],
  [0x63, (m) => m.push(new PickleGlobal(`${m.line()}.${m.line()}`))], // GLOBAL
  [0x93, (m) => m.push(new PickleGlobal(m.popMany(2).map(String).join('.')))],
  [0x52, pushCall], // REDUCE
  [0x81, pushCall], // NEWOBJ
  [0x92, (m) => (void m.popMany(1), pushCall(m))], // NEWOBJ_EX, whose arguments by name hold no tensors
  [0x62, (m) => m.build()],
  [0x51, (m) => m.push(new PickleReference(m.popMany(1)[0]!))], // BINPERSID
]);
