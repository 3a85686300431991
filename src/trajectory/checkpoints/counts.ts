import { join } from 'node:path';
import type { Reading } from '../../formats/reading.js';
import { misfit } from '../../formats/source.js';
import { sizeOf } from '../../formats/array.js';
import { isOptimizerState } from '../match/extras.js';
import { openTensorFile } from '../tensor-file.js';
import type { TensorFile } from '../types.js';
import type { Checkpoint } from './checkpoints.js';

/** What trainers call the count of steps that a checkpoint keeps beside its tensors; batch normalisation counts batches. */
const stepName = /^(global_?)?(step|iteration|iter|it|update|num_update)s?$|(^|\.)num_batches_tracked$/i;
/** The same of rounds of training, in which a count of steps may start again. */
const epochName = /^(current_?)?epoch$/i;

/** Counts of one checkpoint by their names. */
type Counts = ReadonlyMap<string, number>;

/** Formats whose files are read whole when they are opened, and that keep no counts. */
const withoutCounts = /\.(h5|hdf5|keras|npy)$/i;

/**
 * Whether checkpoints, in the order of their names, count upwards by what they themselves say of their step: names that are used in turn
 * (`ckpt_{step % 5}`), or by rank, give an order that training never took. Throws DataError where they do not, unless the order is the
 * user's (`isGiven`): then that is a warning. Null: they say nothing.
 */
export async function orderByCounts(
  folder: string,
  checkpoints: readonly Checkpoint[],
  isGiven: boolean,
): Promise<Reading | null> {
  if (checkpoints.some(({ files }) => files.some((file) => withoutCounts.test(file)))) return null;
  const all: Counts[] = [];
  for (const { files } of checkpoints) all.push(await countsOf(files.map((file) => join(folder, file))));
  // A parameter that is called `step` is hardly a whole number everywhere.
  const names = [...all[0]!.keys()].filter((name) => all.every((counts) => Number.isSafeInteger(counts.get(name)))); // prettier-ignore
  const varying = names.filter((name) => new Set(all.map((counts) => counts.get(name)!)).size > 1);
  if (varying.length === 0) return null;
  for (const [t, after] of all.entries()) {
    const before = all[t - 1];
    const back = before === undefined ? undefined : backwards(before, after, varying);
    if (back === undefined) continue;
    const [from, to] = [checkpoints[t - 1]!, checkpoints[t]!].map(({ files }) => files[0]!);
    const found = `${back} goes from ${before!.get(back)!} in ${from!} back to ${after.get(back)!} in ${to!}`;
    if (!isGiven) throw disordered(folder, found);
    return { about: 'order of the checkpoints', decision: `as the pattern says, though ${found}`, evidence: 'what the checkpoints say of themselves', warning: true }; // prettier-ignore
  }
  return {
    about: 'order of the checkpoints',
    decision: 'by their names',
    evidence: `${varying.find((name) => stepName.test(name)) ?? varying[0]!} in the checkpoints ascends alike`,
  };
}

/** A count that is less than before; steps may start again in a later epoch. */
function backwards(before: Counts, after: Counts, names: readonly string[]): string | undefined {
  const change = (name: string): number => after.get(name)! - before.get(name)!;
  const epochs = names.filter((name) => epochName.test(name));
  const isLater = epochs.some((name) => change(name) > 0);
  return names.find((name) => change(name) < 0 && (epochs.includes(name) || !isLater));
}

function disordered(folder: string, found: string): Error {
  return misfit(
    folder,
    `checkpoints in the order of their names, in which ${found}`,
    'numbers in the names that ascend as the checkpoints’ own steps do',
    "rename the files by the step that they hold; or, where that count starts again on the way, give the order: --checkpoint-pattern 'NAME(\\d+)' with the word before the number",
  );
}

async function countsOf(paths: readonly string[]): Promise<Counts> {
  const counts = new Map<string, number>();
  for (const path of paths) {
    const file = await openTensorFile(path);
    try {
      for (const [name, value] of await countsIn(file)) counts.set(name, value);
    } finally {
      await file.close();
    }
  }
  return counts;
}

const isCount = (name: string): boolean =>
  (stepName.test(name) || epochName.test(name)) && !isOptimizerState(name);

/** Counts of a file: plain numbers, and tensors of one number. */
async function countsIn(file: TensorFile): Promise<Counts> {
  const counts = new Map([...(file.numbers ?? [])].filter(([name]) => isCount(name)));
  for (const [name, { dtype, shape }] of file.entries) {
    if (!isCount(name) || dtype === null || sizeOf(shape) !== 1) continue;
    const { data } = await file.read(name);
    counts.set(name, Number(data[0]));
  }
  return counts;
}
