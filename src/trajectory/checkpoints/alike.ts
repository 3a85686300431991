import { isFloat, sameShape } from '../../formats/array.js';
import { misfit } from '../../formats/source.js';
import { described, fitsPattern, listed } from '../checks.js';
import { ignorable, isOptimizerState } from '../match/extras.js';
import { unwrapped } from '../match/names.js';
import type { TensorFile } from '../types.js';

/**
 * A checkpoint's file by the names of the first one, where they are the same but for those of wrappers: training that goes on compiled, or
 * on several devices, saves `_orig_mod.fc.weight` or `module.fc.weight` from then on.
 */
export function renamedAs(first: TensorFile['entries'], file: TensorFile): TensorFile {
  const strange = [...file.entries.keys()].filter((name) => !first.has(name));
  const missing = [...first.keys()].filter((name) => !file.entries.has(name));
  const stored = new Map<string, string>();
  for (const name of missing) {
    const alike = strange.filter((other) => unwrapped(other) === unwrapped(name));
    const isOnly = missing.filter((other) => unwrapped(other) === unwrapped(name)).length === 1;
    if (alike.length === 1 && isOnly) stored.set(name, alike[0]!);
  }
  if (stored.size === 0) return file;
  const names = new Map([...stored].map(([name, other]) => [other, name]));
  return {
    ...file,
    entries: new Map([...file.entries].map(([name, entry]) => [names.get(name) ?? name, entry])),
    read: (name, from, to) => file.read(stored.get(name) ?? name, from, to),
  };
}

/** Whether a file has a tensor of this shape under a name. */
export function hasShape({ entries }: TensorFile, name: string, shape: readonly number[]): boolean {
  const found = entries.get(name)?.shape;
  return found !== undefined && sameShape(found, shape);
}

/**
 * Throws DataError where the floats of a checkpoint are not those of the first. What nobody reads may come and go: an optimiser has no
 * state before its first step, and single numbers, such as the scores of the best checkpoints until then, are no parameters unless the model
 * has them, which is seen when they are read.
 */
export function requireSame(
  { name, entries }: TensorFile,
  first: TensorFile['entries'],
  ignore: readonly string[],
): void {
  const counting = (tensors: TensorFile['entries']) =>
    [...tensors]
      .filter(([, { dtype }]) => dtype !== null && isFloat(dtype))
      .filter(([tensor]) => !isOptimizerState(tensor) && !ignore.some((each) => fitsPattern(tensor, each)));
  // A step into another precision would count its rounding as motion.
  const other = counting(entries).find(
    ([tensor, { dtype }]) => first.has(tensor) && first.get(tensor)!.dtype !== dtype,
  );
  if (other !== undefined) {
    const [tensor, { dtype }] = other;
    const found = `${tensor} of type ${dtype!}, which is ${first.get(tensor)!.storedType} in the first checkpoint`;
    throw otherTensors(name, [found], 'save all checkpoints in one precision, or leave this one out');
  }
  const counted = (tensors: TensorFile['entries']) =>
    new Map(counting(tensors).filter(([, { shape }]) => shape.length > 0));
  const [expected, given] = [counted(first), counted(entries)];
  const inWords = (tensors: typeof given, tensor: string) =>
    described({ name: tensor, shape: tensors.get(tensor)!.shape });
  const missing = [...expected.keys()].filter((tensor) => !given.has(tensor));
  const extra = [...given.keys()].filter((tensor) => !expected.has(tensor));
  const reshaped = [...given.keys()].filter(
    (tensor) => expected.has(tensor) && !sameShape(given.get(tensor)!.shape, expected.get(tensor)!.shape),
  );
  const strange = [...missing, ...extra, ...reshaped];
  if (strange.length === 0) return;
  const sizes = reshaped.map((tensor) => `${inWords(given, tensor)}, before [${expected.get(tensor)!.shape.join(', ')}]`); // prettier-ignore
  const alike = [...given.keys()].filter((tensor) => !strange.includes(tensor));
  throw otherTensors(
    name,
    [
      ...(missing.length > 0
        ? [`no tensor ${listed(missing.map((tensor) => inWords(expected, tensor)))}`]
        : []),
      ...(extra.length > 0
        ? [
            `tensors ${listed(extra.map((tensor) => inWords(given, tensor)))}, which the first checkpoint does not have`,
          ]
        : []),
      ...(reshaped.length > 0 ? [`other shapes than in the first checkpoint: ${listed(sizes)}`] : []),
    ],
    `record all alike; or, where these are no parameters but such as histories of losses, pass over them: --ignore '${ignorable(strange, alike)}'`,
  );
}

/** What is thrown for a checkpoint that lacks, or has, what the first one does not. */
export function otherTensors(
  name: string,
  found: readonly string[],
  remedy = 'record all alike, or pass over what is no parameter with --ignore',
): Error {
  return misfit(name, found.join('; '), 'the tensors of the first checkpoint', remedy);
}
