import { isFloat, sizeOf } from '../../formats/array.js';
import type { Reading } from '../../formats/reading.js';
import { misfit } from '../../formats/source.js';
import { listed } from '../checks.js';
import { isStill, numbersOf, rowsToWatch, sameNumbers } from './values.js';
import type { ModelTensor, ModelWeights, Recording } from '../types.js';

/** Buffers that layers keep beside parameters and that no optimiser moves. */
const bufferName = /(^|[./])(running_mean|running_var|num_batches_tracked|moving_mean|moving_variance)(:0)?$/;

/** Whether a name is of a buffer that layers keep beside parameters. */
export const isLayerBuffer = (name: string): boolean => bufferName.test(name);

/** Parts of names under which optimisers keep what they have beside parameters. */
const optimizerWord =
  /^(optim\w*|lr_schedul\w*|scaler|exp_avg\w*|max_exp_avg\w*|momentum_buffer|square_avg|acc_delta|grad_avg|slots?)$/i;

const wordsOf = (name: string): string[] => name.replace(/:0$/, '').split(/[./]/);

/**
 * Whether a name is of something that an optimiser keeps beside parameters. A word that the model's own names have says nothing: its
 * `slots` or `scaler` may be trained.
 */
export function isOptimizerState(name: string, model: readonly { readonly name: string }[] = []): boolean {
  const telling = wordsOf(name).filter((word) => optimizerWord.test(word));
  if (telling.length === 0) return false;
  const own = new Set(model.flatMap((tensor) => wordsOf(tensor.name)));
  return telling.some((word) => !own.has(word));
}

/** Recorded tensors that are none of the model's, and why each is passed over. Throws where one moves and nothing explains it. */
export async function passedOver(
  recording: Recording,
  { tensors }: ModelWeights,
  recorded: ReadonlyMap<string, string>,
  ignored: readonly string[],
): Promise<Reading[]> {
  const taken = new Set(recorded.values());
  const reasons = new Map<string, string[]>();
  const strange: string[] = [];
  for (const [name] of recording.tensors) {
    if (taken.has(name)) continue;
    const known = ignored.includes(name) ? 'as given' : reasonByName(name, tensors);
    const reason = known ?? (await reasonToPass(recording, name, taken));
    if (reason === null) strange.push(name);
    else reasons.set(reason, [...(reasons.get(reason) ?? []), name]);
  }
  if (strange.length > 0) {
    throw misfit(
      recording.name,
      `tensors ${listed(strange)}, which move and which the model does not have`,
      "the model's parameters",
      `give the model that this trajectory was recorded with, exported with training=TrainingMode.TRAINING and do_constant_folding=False, else PyTorch folds weights, joins batch normalisation to convolutions and keeps one of equal tensors; or say which they are (--names recorded=model) or that they do not count, as histories of losses do not (--ignore '${ignorable(strange, [...taken])}')`,
    );
  }
  return [...reasons].map(([evidence, names]) => ({
    about: 'recorded tensors passed over',
    decision: listed(names),
    evidence,
  }));
}

/** Names as `--ignore` takes them: a pattern of what is in front of them all and of none of the others, else the names. */
export function ignorable(names: readonly string[], others: readonly string[]): string {
  const [first = ''] = names;
  const parts = first.split(/(?<=[./])/).slice(0, -1);
  const fronts = parts.map((_, k) => parts.slice(0, k + 1).join(''));
  const common = fronts.filter(
    (front) =>
      names.every((name) => name.startsWith(front)) && !others.some((name) => name.startsWith(front)),
  );
  return common.length > 0 && names.length > 1 ? `${common.at(-1)!}*` : names.join(',');
}

function reasonByName(name: string, model: readonly ModelTensor[]): string | null {
  if (isLayerBuffer(name)) return 'buffers of layers, which no optimiser moves';
  return isOptimizerState(name, model) ? 'state of an optimiser' : null;
}

async function reasonToPass(
  recording: Recording,
  name: string,
  taken: ReadonlySet<string>,
): Promise<string | null> {
  const { dtype, shape, storedType } = recording.tensors.get(name)!;
  if (dtype === null) return `elements of type ${storedType}`;
  if (!isFloat(dtype)) return 'no floats';
  if (shape.length === 0) return 'single numbers';
  if (await isStill(recording, name)) return 'they do not move, and the model has none of their names';
  const rows = await numbersOf(recording, name, rowsToWatch(recording));
  for (const other of taken) {
    if (sizeOf(recording.tensors.get(other)!.shape) !== rows[0]!.length) continue;
    const others = await numbersOf(recording, other, rowsToWatch(recording));
    if (rows.every((row, k) => sameNumbers(row, others[k]!)))
      return `tied: the same numbers as ${other} in every row looked at`;
  }
  return null;
}
