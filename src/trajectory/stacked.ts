import { isFloat, sizeOf } from '../formats/array.js';
import type { Reading } from '../formats/reading.js';
import { misfit } from '../formats/source.js';
import { listed } from './checks.js';
import { isUpdate, updatesOf } from './updates.js';
import type { FlatTensor, Recording, TensorEntry, TensorFile, TensorShape } from './types.js';

/** Most rows that a recording may have. */
const maxRows = 2 ** 24;

/** Names of arrays that number rows as `iteration` does. */
const countName = /^(global_?)?(step|iter|iteration|epoch)s?$/i;

/** Names under which a file may hold θ as a whole, [T+1, K]; the second is the one of the paper's authors. */
const flatNames = ['theta', 'all_weights'];

/**
 * A file of stacked arrays as a recording: θ [T+1, K] under the name `theta` or `all_weights`, or one array [T+1, …shape] per tensor;
 * optionally `iteration` [T+1] and components of updates (`updatesOf`). Throws DataError where the arrays have no rows in common.
 */
export async function stackedRecording(file: TensorFile): Promise<Recording> {
  const flat = flatOf(file);
  const rows = flat === null ? commonRows(file) : file.entries.get(flat.name)!.shape[0]!;
  if (rows > maxRows) throw misfit(file.name, `${rows} rows`, `at most ${maxRows}`, 'split the recording');
  const stacked = [...file.entries].filter(
    ([name, { shape }]) => shape[0] === rows && name !== 'iteration' && !isUpdate(name),
  );
  const others = [...file.entries].filter(
    ([name, { shape }]) => shape[0] !== rows && name !== 'iteration' && !isUpdate(name),
  );
  return {
    name: file.name,
    rows,
    iteration: await iterationsOf(file, rows),
    tensors: new Map(stacked.map(([name, entry]) => [name, { ...entry, shape: entry.shape.slice(1) }])),
    others: new Map(others),
    flat,
    updates: updatesOf(
      file,
      flat?.name ?? null,
      stacked.map(([name]) => name),
    ),
    read: async (name, t) => {
      const { dtype, shape, data } = await file.read(name, t, t + 1);
      return { dtype, shape: shape.slice(1), data };
    },
    close: () => file.close(),
  };
}

/**
 * What a file of stacked arrays holds and is not read: arrays beside a θ as a whole, and numbers of its rows under another name than
 * `iteration`, which is warned of.
 */
export async function unreadArrays(file: TensorFile, recording: Recording): Promise<Reading[]> {
  const { flat, rows, tensors, others } = recording;
  const beside = [...tensors.keys(), ...(others?.keys() ?? [])].filter((name) => name !== flat?.name);
  const readings: Reading[] = [];
  if (flat !== null && beside.length > 0) {
    readings.push({
      about: 'recorded arrays passed over',
      decision: listed(beside),
      evidence: `${flat.name} is θ as a whole`,
    });
  }
  if (file.entries.has('iteration') || rows < 2) return readings;
  for (const [name, { dtype, shape }] of tensors) {
    if (!countName.test(name) || shape.length > 0 || dtype === null) continue;
    const [first, last] = [await recording.read(name, 0), await recording.read(name, rows - 1)].map(
      ({ data }) => Number(data[0]),
    );
    if (last! - first! < rows - 1 || (first === 0 && last === rows - 1)) continue;
    readings.push({
      about: 'iterations of the rows',
      decision: `0 to ${rows - 1}, for the file has no array iteration`,
      evidence: `${name} goes from ${first!} to ${last!}: save it as iteration if it numbers them`,
      warning: true,
    });
  }
  return readings;
}

function flatOf(file: TensorFile): FlatTensor | null {
  const name = flatNames.find((each) => file.entries.has(each));
  if (name === undefined) return null;
  const { shape } = file.entries.get(name)!;
  if (shape.length !== 2) {
    throw misfit(
      file.name,
      `${name} of shape [${shape.join(', ')}]`,
      '[rows, K], the parameters of each row end to end',
      'save θ of all rows as one array of two axes',
    );
  }
  return { name, size: shape[1]!, parts: listedParts(file) };
}

/** The names and shapes that the file lists as `var_names` and `var_shapes`, joined by semicolons; null where it lists none. */
function listedParts(file: TensorFile): TensorShape[] | null {
  const [names, shapes] = ['var_names', 'var_shapes'].map((attribute) => file.text(attribute)?.split(';'));
  if (names === undefined && shapes === undefined) return null;
  const parsed = (shapes ?? []).map(parseShape);
  if (names !== undefined && names.length === parsed.length && !parsed.includes(null)) {
    return names.map((name, k) => ({ name, shape: parsed[k]! }));
  }
  const example = shapes?.[Math.max(0, parsed.indexOf(null))] ?? '';
  throw misfit(
    file.name,
    `${names?.length ?? 0} var_names and ${parsed.length} var_shapes, such as ${JSON.stringify(example.slice(0, 40))}`,
    'as many names as shapes like (784, 100), joined by semicolons',
    'store both as attributes of the file',
  );
}

/** A Python tuple of whole numbers; null where it is none. */
function parseShape(text: string): number[] | null {
  const extents = /^\(([\d, ]*)\)$/.exec(text.trim())?.[1]?.split(',') ?? ['none'];
  const shape = extents.map((extent) => extent.trim()).filter((extent) => extent !== '').map(Number); // prettier-ignore
  return shape.every(Number.isSafeInteger) ? shape : null;
}

/** The first extent that most of the arrays' numbers have. */
function commonRows({ entries, name }: TensorFile): number {
  const numbers = new Map<number, number>();
  for (const [tensor, { shape }] of [...entries].filter(([, entry]) => isStackable(entry))) {
    if (isUpdate(tensor)) continue;
    numbers.set(shape[0]!, (numbers.get(shape[0]!) ?? 0) + sizeOf(shape));
  }
  const [first] = [...numbers].sort(([, a], [, b]) => b - a);
  if (first !== undefined) return first[0];
  throw misfit(
    name,
    'no arrays of floats',
    'theta [rows, K], or [rows, …shape] of each parameter',
    'save these',
  );
}

const isStackable = ({ dtype, shape }: TensorEntry): boolean =>
  dtype !== null && isFloat(dtype) && shape.length > 0;

async function iterationsOf(file: TensorFile, rows: number): Promise<number[]> {
  const entry = file.entries.get('iteration');
  if (entry === undefined) return Array.from({ length: rows }, (_, t) => t);
  const { dtype, shape } = entry;
  if (shape.length === 1 && dtype !== null && !isFloat(dtype) && shape[0]! <= maxRows) {
    return Array.from((await file.read('iteration')).data, Number);
  }
  throw misfit(
    `${file.name}(iteration)`,
    `a ${entry.storedType} array of shape [${shape.join(', ')}]`,
    `at most ${maxRows} integers in one row`,
    'save it as int64',
  );
}
