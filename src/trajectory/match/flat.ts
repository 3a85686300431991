import { UsageError } from '../../errors.js';
import { sizeOf } from '../../formats/array.js';
import { misfit } from '../../formats/source.js';
import { settledNames } from '../../onnx/import/parameters/evidence.js';
import { described, listed } from '../checks.js';
import { orderOfTheta, placedParts } from './order.js';
import { matchParts, placeParts } from './parts.js';
import type { Match, ModelTensor, ModelWeights, Recording, RecordingOptions, TensorShape } from '../types.js';

/** Finds the model's parameters in a recording of θ as a whole. Throws DataError where nothing shows their order, UsageError. */
export async function matchFlat(
  recording: Recording,
  weights: ModelWeights,
  options: RecordingOptions,
): Promise<Match> {
  const { size, parts } = recording.flat!;
  if (options.names?.length) return givenOrder(recording, weights, options.names, parts);
  if (parts !== null) return matchParts(recording, weights, parts);
  const members = membersOf(weights, size);
  if (members === null) throw wrongSize(recording, weights);
  const order = await orderOfTheta(recording, members, weights);
  return { parts: placedParts(recording, order), frozen: [], readings: order.readings };
}

/** The names that the user gives in the order of θ. */
function givenOrder(
  recording: Recording,
  { tensors }: ModelWeights,
  names: readonly string[],
  parts: readonly TensorShape[] | null,
): Match {
  const members = names.map((name) => {
    const tensor = tensors.find((each) => each.name === name);
    if (tensor !== undefined) return { tensor, axes: null };
    throw new UsageError({
      given: `names: ${name}, which the model does not have`,
      expected: listed(tensors.map((each) => each.name)),
      remedy: 'give the names of all parameters in the order of θ with --names',
    });
  });
  const total = members.reduce((sum, { tensor }) => sum + sizeOf(tensor.shape), 0);
  if (total !== recording.flat!.size || new Set(names).size !== names.length) {
    throw misfit(
      recording.name,
      `${recording.flat!.size} numbers a row where the names given have ${total}`,
      'the names of all parameters, each once, in the order of θ',
      'correct --names',
    );
  }
  const readings = [{ about: 'order of θ', decision: listed(names), evidence: 'names, as given' }];
  if (parts?.length === names.length) return placeParts(recording, parts, names, readings);
  return { parts: placedParts(recording, { parts: members, readings }), frozen: [], readings };
}

/** The tensors whose sizes add up to K with the fewest changes to the first guess; null where no single choice does. */
function membersOf({ tensors }: ModelWeights, size: number): ModelTensor[] | null {
  const candidates = tensors.map(({ name, shape, verdict }) => ({ name, verdict, size: sizeOf(shape) }));
  const names = settledNames(candidates, { size });
  const members = tensors.filter(({ name }) => names.has(name));
  return members.reduce((total, { shape }) => total + sizeOf(shape), 0) === size ? members : null;
}

function wrongSize(recording: Recording, { tensors }: ModelWeights): Error {
  const guessed = tensors.filter(({ verdict }) => verdict === 'trained' || verdict === 'likely');
  const size = guessed.reduce((total, { shape }) => total + sizeOf(shape), 0);
  return misfit(
    recording.name,
    `${recording.flat!.name} of ${recording.flat!.size} numbers a row`,
    `[rows, ${size}], the model's parameters ${listed(guessed.map(described))}`,
    'give the model that this trajectory was recorded with, or say which tensors θ holds with --names A,B,…',
  );
}
