import { strToU8 } from 'fflate';
import { arrayFromBytes, checkedBytes, type ElementType, type NdArray } from '../array.js';
import { numpyType } from '../npy.js';
import { PickleObject, type PickleValue } from './pickle.js';
import { damaged, misfit } from '../source.js';
import { nameOfGlobal } from './tree.js';

/** An array of numbers that is no tensor of the plain kind. */
export interface OtherArray {
  /** Null: of a kind that is not read. */
  readonly dtype: ElementType | null;
  readonly storedType: string;
  readonly shape: readonly number[];
  read(): Promise<NdArray>;
}

/** What makes arrays of numpy, other arrays of its, and tensors that are quantised, sparse or of a device without numbers in the file. */
const reconstruct = /^numpy\.(_?core)\.multiarray\._reconstruct$/;
const fromBuffer = /^numpy\.(_?core)\.numeric\._frombuffer$/;
const others = /^(numpy\.ma\.core\._mareconstruct$|torch\._utils\._rebuild_(?!tensor|parameter))/;

/** The call that made an array of numpy or a tensor of a rare kind; null for anything else. */
export function otherArrayCall(value: PickleValue): PickleObject | null {
  if (!(value instanceof PickleObject)) return null;
  const name = nameOfGlobal(value.made);
  return [reconstruct, fromBuffer, others].some((each) => each.test(name)) ? value : null;
}

/** What such a call made: plain arrays of numpy with their numbers, which stand in the table itself. Throws DataError where one is damaged. */
export function otherArray(call: PickleObject, file: string): OtherArray {
  const made = nameOfGlobal(call.made);
  const unread = (storedType: string): OtherArray => ({
    dtype: null,
    storedType,
    shape: [],
    read: () =>
      Promise.reject(
        misfit(file, storedType, 'a plain tensor or array', 'save it as one: tensor.dequantize(), tensor.to_dense(), torch.tensor(array)'), // prettier-ignore
      ),
  });
  if (others.test(made)) return unread(`what ${made} makes`);
  const args = Array.isArray(call.args) ? call.args : [];
  const isNew = fromBuffer.test(made);
  const kind = isNew ? 'numpy.ndarray' : nameOfGlobal(args[0] ?? null);
  if (kind !== 'numpy.ndarray') return unread(`an array of class ${kind}`);
  const [numbers, type, shape, columnMajor] = isNew
    ? [args[0], args[1], args[2], args[3] === 'F']
    : stateOf(call);
  const { code, bigEndian } = typeOf(type ?? null);
  const dtype = numpyType(code);
  const storedType = `numpy’s ${code}`;
  if (dtype === null) return unread(storedType);
  const bytes = bytesOf(numbers ?? null);
  const isShape = Array.isArray(shape) && shape.every((extent) => typeof extent === 'number');
  if (!isShape || bytes === null)
    throw damaged(file, 'a malformed array of numpy', 'shape, type and numbers');
  const expected = checkedBytes(dtype, shape, file);
  if (bytes.length !== expected) throw damaged(file, `${bytes.length} bytes`, `${expected} bytes`);
  const order = { bigEndian, columnMajor: columnMajor === true };
  const read = () => Promise.resolve(arrayFromBytes(dtype, shape, bytes, order));
  return { dtype, storedType, shape: shape, read };
}

/** Numbers, type, shape and whether the first axis is the fastest, of an array that is made empty and then set. */
function stateOf({ state }: PickleObject): (PickleValue | undefined)[] {
  const [, shape, type, columnMajor, numbers] = Array.isArray(state) ? state : [];
  return [numbers, type, shape, columnMajor];
}

/** `numpy.dtype('f4')`, whose state has the order of bytes behind a version. */
function typeOf(type: PickleValue): { code: string; bigEndian: boolean } {
  const { args, state } = type instanceof PickleObject ? type : { args: null, state: null };
  const code = Array.isArray(args) && typeof args[0] === 'string' ? args[0] : 'unknown type';
  return { code, bigEndian: Array.isArray(state) && state[1] === '>' };
}

/** Bytes as pickles hold them: as they are, or in old protocols as text that is to be encoded. */
function bytesOf(value: PickleValue): Uint8Array | null {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return strToU8(value, true);
  if (!(value instanceof PickleObject) || !Array.isArray(value.args)) return null;
  const name = nameOfGlobal(value.made);
  if (/^(__builtin__|builtins)\.bytes$/.test(name) && value.args.length === 0) return new Uint8Array(0);
  const [text, coding] = value.args;
  const isLatin = name === '_codecs.encode' && coding === 'latin1' && typeof text === 'string';
  return isLatin ? strToU8(text, true) : null;
}
