import { isFloat, sizeOf } from '../../formats/array.js';
import { fitsPattern } from '../checks.js';
import { isLayerBuffer, isOptimizerState, passedOver } from './extras.js';
import { matchFlat } from './flat.js';
import { heldStill } from './missing.js';
import { matchNames, namesGiven, type NamedMatch } from './names.js';
import { stateReadings } from './state.js';
import { statisticsReadings } from './statistics.js';
import { isStill, isTelling, numbersOf, permuted, sameNumbers, tensorflowAxes } from './values.js';
import type {
  Match,
  ModelTensor,
  ModelWeights,
  RecordedPart,
  Recording,
  RecordingOptions,
} from '../types.js';

/**
 * Finds the model's parameters in a recording. Throws DataError where one is missing, a recorded tensor that moves is none of the
 * model's, or nothing shows which is which; each time naming them and what to give. Throws UsageError for options that fit nothing.
 */
export async function matchRecording(
  recording: Recording,
  weights: ModelWeights,
  options: RecordingOptions = {},
): Promise<Match> {
  return recording.flat === null
    ? matchNamed(recording, weights, options)
    : matchFlat(recording, weights, options);
}

async function matchNamed(
  recording: Recording,
  weights: ModelWeights,
  options: RecordingOptions,
): Promise<Match> {
  const ignored = [...recording.tensors.keys()].filter((name) =>
    options.ignore?.some((pattern) => fitsPattern(name, pattern)),
  );
  const floats = [...recording.tensors]
    .filter(([name, { dtype }]) => dtype !== null && isFloat(dtype) && !ignored.includes(name))
    .map(([name, { shape }]) => ({ name, shape }));
  const candidates = floats.filter(({ name }) => !isOptimizerState(name, weights.tensors));
  const named = options.names?.length
    ? namesGiven(options.names, floats, weights.tensors)
    : matchNames(candidates, weights.tensors, recording.name);
  const found = await withValues(
    recording,
    weights,
    named,
    candidates.map(({ name }) => name),
  );
  const parameters = await trainedOf(recording, weights, found.recorded, options.follow ?? false);
  const passed = await passedOver(recording, weights, found.recorded, ignored);
  const held = await heldStill(recording, weights, { parameters, recorded: found.recorded }, options);
  const statistics = await statisticsReadings(recording, weights, found.recorded);
  const state = stateReadings(weights, parameters, found.recorded);
  const parts = new Map(
    parameters.map(({ name }): [string, RecordedPart] => {
      const recorded = found.recorded.get(name)!;
      return [
        name,
        {
          tensor: recorded,
          offset: 0,
          name: recorded,
          shape: recording.tensors.get(recorded)!.shape,
          axes: null,
        },
      ];
    }),
  );
  return {
    ...held,
    parts,
    readings: [
      ...(weights.readings ?? []),
      ...found.readings,
      ...passed,
      ...held.readings,
      ...statistics,
      ...state,
    ],
  };
}

/** Parameters without a counterpart by name find one by values: the numbers in the model's file are those of a row of it alone. */
async function withValues(
  recording: Recording,
  { tensors }: ModelWeights,
  named: NamedMatch,
  candidates: readonly string[],
): Promise<NamedMatch> {
  const recorded = new Map(named.recorded);
  const taken = new Set(recorded.values());
  const readings = [...named.readings];
  for (const tensor of tensors) {
    const data = recorded.has(tensor.name) || tensor.verdict === 'constant' ? null : tensor.data();
    if (data === null || !isTelling(data)) continue;
    const alike = candidates.filter(
      (name) => !taken.has(name) && sizeOf(recording.tensors.get(name)!.shape) === data.length,
    );
    const equal: string[] = [];
    for (const name of alike) if (await holds(recording, name, tensor, data)) equal.push(name);
    if (equal.length !== 1) continue;
    recorded.set(tensor.name, equal[0]!);
    taken.add(equal[0]!);
    readings.push({
      about: 'names of recorded tensors',
      decision: `${equal[0]!} is ${tensor.name} of the model`,
      evidence: 'the numbers in the model’s file are those of a row of it',
    });
  }
  return { recorded, readings };
}

async function holds(
  recording: Recording,
  name: string,
  { shape }: ModelTensor,
  data: Float32Array,
): Promise<boolean> {
  const turned = shape.length < 2 ? data : permuted(data, shape, tensorflowAxes(shape.length));
  const rows = await numbersOf(recording, name, [recording.rows - 1, 0]);
  return rows.some((row) => sameNumbers(data, row) || sameNumbers(turned, row));
}

/**
 * The model's tensors that are trained: those that surely are, and of the others those that move, or differ from the model's file. What
 * looks like a constant by its use (a table of one number each, a bound, a first state) is no other, unless it is a layer's
 * buffer, or one by its use: a mean or variance that something is normalised by. While a recording grows (`follow`) nothing is known to stay:
 * a warm-up from a rate of zero moves nothing in its first step.
 */
async function trainedOf(
  recording: Recording,
  { tensors }: ModelWeights,
  recorded: ReadonlyMap<string, string>,
  follow: boolean,
): Promise<ModelTensor[]> {
  const trained: ModelTensor[] = [];
  for (const tensor of tensors) {
    const name = recorded.get(tensor.name);
    if (name === undefined) continue;
    const isBuffer = tensor.statistic === true || isLayerBuffer(name) || isLayerBuffer(tensor.name);
    if (tensor.verdict === 'constant' && isBuffer) continue;
    const data = tensor.verdict === 'trained' || follow ? null : tensor.data();
    const stays =
      data !== null && (await isStill(recording, name)) && (await holds(recording, name, tensor, data));
    if (!stays) trained.push(tensor);
  }
  return trained;
}
