import { UsageError } from '../../errors.js';
import type { Reading } from '../../formats/reading.js';
import { misfit } from '../../formats/source.js';
import { isFloat } from '../../formats/array.js';
import { described, fitsPattern, listed } from '../checks.js';
import { isOptimizerState } from './extras.js';
import { namesAlike } from './names.js';
import { rowsToCompare, sameNumbers, toFloat32 } from './values.js';
import { numbersDigest } from '../recorder-folder.js';
import type { Match, ModelTensor, ModelWeights, Recording, RecordingOptions, TensorEntry } from '../types.js';

/** Parameters that are recorded, and the recorded name of each tensor of the model that has one. */
interface Found {
  readonly parameters: readonly ModelTensor[];
  readonly recorded: ReadonlyMap<string, string>;
}

/** Parameters that are not recorded. Throws unless they are said, or plainly seen, to stay as the model's file has them. */
export async function heldStill(
  recording: Recording,
  { tensors }: ModelWeights,
  { parameters, recorded }: Found,
  { frozen = [], rest = null, ignore = [] }: RecordingOptions,
): Promise<Omit<Match, 'parts'>> {
  const missing = tensors.filter(
    ({ name, verdict }) => !recorded.has(name) && (verdict === 'trained' || verdict === 'likely'),
  );
  refuseUnread(recording, missing, ignore);
  const unused = frozen.find((pattern) => !missing.some(({ name }) => fitsPattern(name, pattern)));
  if (unused !== undefined) throw nothingFrozen(unused, missing);
  const said = missing.filter(
    ({ name }) => rest === 'frozen' || frozen.some((pattern) => fitsPattern(name, pattern)),
  );
  const stated = statedStill(
    recording,
    missing.filter((tensor) => !said.includes(tensor)),
  );
  const open = missing.filter((tensor) => !said.includes(tensor) && !stated.includes(tensor));
  const evidence = open.length === 0 ? null : await evidenceOfRest(recording, { parameters, recorded }, open);
  if (open.length > 0 && evidence === null) throw notRecorded(recording, open);
  const names = (list: readonly ModelTensor[]): string => listed(list.map(({ name }) => name));
  const readings: Reading[] = [];
  const about = 'held constant';
  if (said.length > 0)
    readings.push({
      about,
      decision: names(said),
      evidence: rest === 'frozen' ? 'rest frozen' : 'frozen, as given',
    });
  if (stated.length > 0)
    readings.push({
      about,
      decision: names(stated),
      evidence: 'the recorder saw that they are not trained; the model’s file has their numbers',
    });
  // The recorder names all parameters; what is as likely a buffer is one.
  const buffers = open.filter(({ verdict }) => recording.frozen !== undefined && verdict === 'likely');
  const others = open.filter((tensor) => !buffers.includes(tensor));
  if (buffers.length > 0)
    readings.push({
      about: 'constants',
      decision: names(buffers),
      evidence: `the recorder saw no such parameters; ${evidence!}`,
    });
  if (others.length > 0)
    readings.push({ about, decision: names(others), evidence: evidence!, warning: true });
  return {
    frozen: [...said, ...stated, ...others].map(({ name }) => name),
    buffers: buffers.map(({ name }) => name),
    readings,
  };
}

/** Throws DataError where what is recorded under the name of a parameter is no record of it: it may move all the same. */
function refuseUnread(
  { name, rows, tensors, others = new Map<string, TensorEntry>() }: Recording,
  missing: readonly ModelTensor[],
  ignore: readonly string[],
): void {
  const unread = [...tensors].filter(([, { dtype }]) => dtype === null || !isFloat(dtype));
  for (const [recorded, { dtype, storedType, shape }] of [...unread, ...others]) {
    if (isOptimizerState(recorded) || ignore.some((pattern) => fitsPattern(recorded, pattern))) continue;
    const tensor = missing.find((each) => namesAlike(recorded, each.name));
    if (tensor === undefined) continue;
    throw misfit(
      `${name}(${recorded})`,
      dtype !== null && others.has(recorded)
        ? `an array [${shape.join(', ')}], in a file of ${rows} rows`
        : `numbers of type ${storedType}`,
      `floats of every row, as the record of ${tensor.name} of the model`,
      `save it so (as float32); where it is no record of this parameter, pass it over with --ignore '${recorded}'`,
    );
  }
}

/** Tensors that the recording says were not trained. Throws DataError where the model's file has other numbers than the recorder saw. */
function statedStill({ name, frozen = [] }: Recording, missing: readonly ModelTensor[]): ModelTensor[] {
  const digests = new Map(frozen.map((each) => [each.name, each.sha256]));
  const stated = missing.filter((tensor) => digests.has(tensor.name));
  const other = stated.filter((tensor) => {
    const data = tensor.data();
    return data === null || numbersDigest(data) !== digests.get(tensor.name);
  });
  if (other.length === 0) return stated;
  throw misfit(
    name,
    `parameters ${listed(other.map((tensor) => tensor.name))} that were not trained, and whose numbers in the model’s file are others`,
    'the numbers that the network had while it was recorded',
    'export the model that was trained, or record with frozen=True',
  );
}

/**
 * What shows that parameters without a record were not trained: whole layers, under their own names, in a file whose other parameters
 * are those of a row of this recording. Null where that is not so.
 */
async function evidenceOfRest(
  recording: Recording,
  { parameters, recorded }: Found,
  open: readonly ModelTensor[],
): Promise<string | null> {
  const layerOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf('.')));
  const layers = new Set(parameters.map(({ name }) => layerOf(name)));
  const whole = open.every(({ name, anonymous }) => !anonymous && !layers.has(layerOf(name)));
  if (!whole || parameters.length === 0) return null;
  for (const t of rowsToCompare(recording)) {
    if (await isRowOfFile(recording, { parameters, recorded }, t)) {
      return `whole layers that are not recorded; the file’s other parameters are row ${t} of this recording, so these are of the same run`;
    }
  }
  return null;
}

async function isRowOfFile(
  recording: Recording,
  { parameters, recorded }: Found,
  t: number,
): Promise<boolean> {
  for (const tensor of parameters) {
    const data = tensor.data();
    if (data === null) return false;
    if (!sameNumbers(data, toFloat32(await recording.read(recorded.get(tensor.name)!, t)))) return false;
  }
  return true;
}

function nothingFrozen(pattern: string, missing: readonly ModelTensor[]): UsageError {
  return new UsageError({
    given: `frozen ${pattern}, which fits no parameter that is not recorded`,
    expected: `a name or pattern among ${listed(missing.map(({ name }) => name))}`,
    remedy: 'correct --frozen, or leave it out',
  });
}

function notRecorded(recording: Recording, missing: readonly ModelTensor[]): Error {
  const recorded = listed([...recording.tensors.keys()]);
  const names = missing.map(({ name }) => name);
  const madeUp = missing.filter(({ anonymous }) => anonymous);
  return misfit(
    recording.name,
    `no record of the model's ${listed(missing.map(described))}${madeUp.length > 0 ? ' (names that the exporter made up: weights that it folded, or constants)' : ''}`,
    `a record of each parameter; recorded are ${recorded}`,
    `record them (export with do_constant_folding=False to keep names), name them (--names recorded=model), or say that they were not trained: --frozen '${names[0]!}', or --rest frozen for all`,
  );
}
