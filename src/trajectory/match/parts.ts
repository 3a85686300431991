import { sameShape, sizeOf } from '../../formats/array.js';
import type { Reading } from '../../formats/reading.js';
import { misfit } from '../../formats/source.js';
import { described, listed } from '../checks.js';
import { matchNames } from './names.js';
import { tensorflowAxes } from './values.js';
import type { Match, ModelTensor, ModelWeights, RecordedPart, Recording, TensorShape } from '../types.js';

/**
 * Finds the model's parameters in a θ whose file lists its parts: by their names; where these are of another world by their shapes,
 * which must fit one way, or in the order of declaration. Throws DataError where neither does.
 */
export function matchParts(
  recording: Recording,
  weights: ModelWeights,
  parts: readonly TensorShape[],
): Match {
  const total = parts.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const wanted = weights.tensors.filter(({ verdict }) => verdict === 'trained' || verdict === 'likely');
  if (total !== recording.flat!.size) throw misfitting(recording, parts, wanted);
  const named = matchNames(parts, weights.tensors, recording.name);
  const byPart = new Map([...named.recorded].map(([model, part]) => [part, model]));
  if (byPart.size === parts.length && wanted.every(({ name }) => named.recorded.has(name))) {
    return placeParts(
      recording,
      parts,
      parts.map(({ name }) => byPart.get(name)!),
      named.readings,
    );
  }
  const assigned = byShape(parts, wanted, weights.declared);
  if (assigned === null) throw misfitting(recording, parts, wanted);
  const decision = listed(assigned.names);
  const reading = { about: 'order of θ', decision, evidence: assigned.evidence };
  return placeParts(recording, parts, assigned.names, [reading]);
}

/** The parts of θ, one behind the other, as the parameters of these names. */
export function placeParts(
  recording: Recording,
  parts: readonly TensorShape[],
  names: readonly string[],
  readings: readonly Reading[],
): Match {
  let offset = 0;
  const entries = parts.map((part, k): [string, RecordedPart] => {
    const place = { tensor: recording.flat!.name, offset, name: part.name, shape: part.shape, axes: null };
    offset += sizeOf(part.shape);
    return [names[k]!, place];
  });
  return { parts: new Map(entries), frozen: [], readings };
}

/** Whether a recorded shape is a tensor's own, or that of its TensorFlow form. */
function fits({ shape }: TensorShape, tensor: ModelTensor): boolean {
  const turned =
    tensor.shape.length < 2
      ? tensor.shape
      : tensorflowAxes(tensor.shape.length).map((axis) => tensor.shape[axis]!);
  return sameShape(shape, tensor.shape) || sameShape(shape, turned);
}

function byShape(
  parts: readonly TensorShape[],
  wanted: readonly ModelTensor[],
  declared: string | null,
): { names: string[]; evidence: string } | null {
  if (parts.length !== wanted.length) return null;
  const fitting = parts.map((part) => wanted.filter((tensor) => fits(part, tensor)));
  if (fitting.every(({ length }) => length === 1)) {
    return { names: fitting.map(([only]) => only!.name), evidence: 'the shapes fit one way' };
  }
  const inOrder = parts.every((part, k) => fits(part, wanted[k]!));
  if (!inOrder || declared === null || !ascending(parts.map(({ name }) => name))) return null;
  return {
    names: wanted.map(({ name }) => name),
    evidence: `the shapes fit in the order of declaration (${declared}), and the numbers in the recorded names ascend`,
  };
}

/** Whether the numbers of names that differ in these alone ascend: `dense`, `dense_1`, … `dense_10`, as layers are made. */
function ascending(names: readonly string[]): boolean {
  const last = new Map<string, number>();
  return names.every((name) => {
    const [first = '', ...rest] = name.split('/');
    const [, base, number] = /^(.*?)_?(\d*)$/.exec(first)!;
    const key = [base, ...rest].join('/');
    const value = number === '' ? 0 : Number(number);
    const ascends = value > (last.get(key) ?? -1);
    last.set(key, value);
    return ascends;
  });
}

function misfitting(
  recording: Recording,
  parts: readonly TensorShape[],
  wanted: readonly ModelTensor[],
): Error {
  return misfit(
    recording.name,
    `tensors ${listed(parts.map(described))}`,
    `${listed(wanted.map(described))}, by these names or by shapes that fit one way (TensorFlow's forms too)`,
    'give the model that this trajectory was recorded with, or the model’s names in the order of θ with --names A,B,…',
  );
}
