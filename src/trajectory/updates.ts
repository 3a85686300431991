import { isFloat, sameShape } from '../formats/array.js';
import { misfit } from '../formats/source.js';
import { listed } from './checks.js';
import type { RecordedUpdate, Recording, TensorEntry, TensorFile } from './types.js';

const prefix = 'update/';

/** Whether an array of a recording holds a component of updates. */
export const isUpdate = (name: string): boolean => name.startsWith(prefix);

/**
 * The components of updates that stand beside θ, by their names: arrays `update/NAME` [T, K] beside one of all parameters, else
 * `update/NAME/TENSOR` [T, …shape] for each tensor. What names no tensor is a component without any.
 */
export function updatesOf(
  file: TensorFile,
  flat: string | null,
  tensors: readonly string[],
): Map<string, RecordedUpdate> {
  const found = new Map<string, Map<string, string>>();
  for (const name of [...file.entries.keys()].filter(isUpdate)) {
    const rest = name.slice(prefix.length);
    const owner = flat ?? longest(tensors.filter((tensor) => rest.endsWith(`/${tensor}`)));
    const component = owner === null || flat !== null ? rest : rest.slice(0, -owner.length - 1);
    const own = found.get(component) ?? new Map<string, string>();
    if (owner !== null) own.set(owner, name);
    found.set(component, own);
  }
  const update = (arrays: ReadonlyMap<string, string>): RecordedUpdate => ({
    tensors: new Map([...arrays].map(([tensor, name]) => [tensor, file.entries.get(name)!])),
    read: async (tensor, t) => {
      const { dtype, shape, data } = await file.read(arrays.get(tensor)!, t, t + 1);
      return { dtype, shape: shape.slice(1), data };
    },
  });
  return new Map([...found].map(([component, arrays]) => [component, update(arrays)]));
}

function longest(names: readonly string[]): string | null {
  return names.reduce<string | null>((best, name) => (name.length > (best?.length ?? 0) ? name : best), null);
}

/** Throws DataError unless every component has an array [T, …shape] of floats for each of the recorded tensors that θ is read from. */
export function requireUpdates({ name, rows, tensors, updates }: Recording, read: readonly string[]): void {
  if (updates.size === 0) {
    throw misfit(
      name,
      'no components of updates',
      'arrays update/NAME [T, K] beside theta [T+1, K], or update/NAME/TENSOR [T, …shape] beside each tensor, in the same file',
      'record them, such as update/gradient and update/momentum, or leave out --components',
    );
  }
  const fits = (entry: TensorEntry | undefined, tensor: string): boolean =>
    entry !== undefined && entry.dtype !== null && isFloat(entry.dtype) && sameShape(entry.shape, [rows - 1, ...tensors.get(tensor)!.shape]); // prettier-ignore
  for (const [component, update] of updates) {
    const missing = read.filter((tensor) => !fits(update.tensors.get(tensor), tensor));
    if (missing.length === 0) continue;
    const shapes = missing.map((tensor) => `${tensor} [${[rows - 1, ...tensors.get(tensor)!.shape].join(', ')}]`); // prettier-ignore
    throw misfit(
      name,
      `component update/${component} without floats for ${listed(missing)}`,
      `one row for each of the ${rows - 1} steps: ${listed(shapes)}`,
      'record the component for all parameters, or leave out --components',
    );
  }
}
