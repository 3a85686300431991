import { sameShape, sizeOf } from '../../formats/array.js';
import type { Reading } from '../../formats/reading.js';
import { misfit } from '../../formats/source.js';
import { described, listed } from '../checks.js';
import { permuted, rowsToCompare, sameNumbers, tensorflowAxes, toFloat32 } from './values.js';
import type { Match, RecordedLayout, RecordedPart, Recording, TensorShape } from '../types.js';

/** A parameter of the network that is measured. */
export interface Parameter extends TensorShape {
  /** Axis that counts the layer's outputs; null where none does. */
  readonly neuronAxis: number | null;
  /** Extents [C, H, W] of what a Flatten in front of this kernel makes one axis of, channels first; null where there is none. */
  readonly flattened: readonly number[] | null;
  /** Its numbers in the model's file; null where the model has none. */
  readonly data: Float32Array | null;
}

/** How a recorded tensor becomes the parameter: both seen with these extents, recorded axis k is axis `axes[k]` of the parameter. */
export interface Arrangement {
  readonly part: RecordedPart;
  readonly shape: readonly number[];
  readonly axes: readonly number[];
}

/** The arrangement of every parameter, in their order, and what showed it. */
export interface Arranged {
  readonly arrangements: readonly Arrangement[];
  readonly readings: readonly Reading[];
}

const about = 'axes of recorded kernels';
const identity = (rank: number): number[] => Array.from({ length: rank }, (_, k) => k);

/** A parameter with the ways in which its recorded form may be read. */
interface Question {
  readonly parameter: Parameter;
  readonly part: RecordedPart;
  /** By layout; those that do not fit the recorded shape are left out. */
  readonly choices: ReadonlyMap<RecordedLayout, Arrangement>;
}

/**
 * How the axes of recorded tensors become those of the parameters: shapes tell where they fit one way; else the model file's values
 * do, or the other kernels' shapes, or the words of the names. Throws DataError where nothing tells, or a shape does not fit.
 */
export async function arrange(
  recording: Recording,
  { parts }: Match,
  parameters: readonly Parameter[],
  layout: RecordedLayout | null,
): Promise<Arranged> {
  const questions = parameters.map((parameter) =>
    questionOf(parameter, parts.get(parameter.name)!, recording.name),
  );
  const readings: Reading[] = [];
  const settled = new Map<Question, Arrangement>();
  for (const question of questions) {
    const known = await settledAlone(recording, question, layout);
    if (known !== null) settled.set(question, known);
  }
  const open = questions.filter((question) => !settled.has(question));
  const shared = open.length === 0 ? null : sharedLayout(questions, settled, open);
  if (shared !== null) readings.push({ about, decision: inWords(shared.layout), evidence: shared.evidence });
  for (const question of open) {
    const chosen = shared && question.choices.get(shared.layout);
    if (!chosen) throw undecided(recording, open);
    settled.set(question, chosen);
  }
  const turned = questions.filter((question) => !isIdentity(settled.get(question)!));
  if (layout === null) await requireOneLayout(recording, questions, settled);
  if (turned.length > 0 && (shared === null || layout !== null)) {
    const evidence =
      layout === null ? 'their shapes, or the numbers in the model’s file' : `layout ${layout}, as given`;
    readings.push({
      about,
      decision: `turned: ${listed(turned.map(({ parameter }) => parameter.name))}`,
      evidence,
    });
  }
  return { arrangements: questions.map((question) => settled.get(question)!), readings };
}

/** Throws where some kernels fit as they are and others only turned, unless the model file's values show the latter. */
async function requireOneLayout(
  recording: Recording,
  questions: readonly Question[],
  settled: ReadonlyMap<Question, Arrangement>,
): Promise<void> {
  const forced = questions.filter(({ part, parameter, choices }) => {
    return part.axes === null && part.shape !== null && parameter.shape.length > 1 && choices.size < 3;
  });
  const turned = forced.filter(({ choices }) => !choices.has('model'));
  if (turned.length === forced.length) return;
  for (const { parameter, part } of turned) {
    const arrangement = settled.get(questions.find((question) => question.parameter === parameter)!)!;
    const shown =
      parameter.data !== null && (await byValues(recording, parameter.data, [arrangement])) !== null;
    if (!shown) throw wrongShape(recording.name, part, parameter);
  }
}

const isIdentity = ({ axes }: Arrangement): boolean => axes.every((axis, k) => axis === k);

const inWords = (layout: RecordedLayout): string =>
  layout === 'model'
    ? 'as the model’s'
    : `TensorFlow’s: dense [in, out], convolutions [height, width, in, out]${layout === 'tensorflow' ? '' : ', channels first behind Flatten'}`;

function questionOf(parameter: Parameter, part: RecordedPart, file: string): Question {
  const { shape } = parameter;
  if (part.axes !== null) {
    return { parameter, part, choices: new Map([['model', { part, shape, axes: part.axes }]]) };
  }
  const own = { part, shape, axes: identity(shape.length) };
  const turned = (layout: RecordedLayout): Arrangement =>
    shape.length < 2 ? own : { part, ...tensorflowForm(parameter, layout) };
  const all: [RecordedLayout, Arrangement][] = [
    ['model', own],
    ['tensorflow', turned('tensorflow')],
    ['tensorflowChannelsFirst', turned('tensorflowChannelsFirst')],
  ];
  const exact = all.filter(([, form]) => fits(form, parameter, (extents) => extents));
  const loose = all.filter(([, form]) => fits(form, parameter, withoutOnes));
  const choices = exact.length > 0 ? exact : loose;
  if (choices.length > 0) return { parameter, part, choices: new Map(choices) };
  throw wrongShape(file, part, parameter);
}

/** Whether a recorded shape is that of an arrangement, both seen through `view`. */
function fits(
  { part, shape, axes }: Arrangement,
  parameter: Parameter,
  view: (shape: readonly number[]) => readonly number[],
): boolean {
  if (part.shape === null) return true;
  const extents = axes.map((axis) => shape[axis]!);
  return sameShape(view(part.shape), view(joined(extents, parameter, part.shape)));
}

const withoutOnes = (shape: readonly number[]): number[] => shape.filter((extent) => extent !== 1);

/** A recorded kernel behind a Flatten has its C, H and W as one axis. */
function joined(
  extents: readonly number[],
  { flattened }: Parameter,
  recorded: readonly number[],
): readonly number[] {
  if (flattened === null || extents.length < 3 || recorded.length >= extents.length) return extents;
  return [sizeOf(extents.slice(0, 3)), ...extents.slice(3)];
}

function wrongShape(file: string, { name, shape }: RecordedPart, parameter: Parameter): Error {
  return misfit(
    file,
    `${name} of shape [${(shape ?? []).join(', ')}]`,
    `[${parameter.shape.join(', ')}], ${parameter.name} of the model`,
    'give the model that this trajectory was recorded with',
  );
}

/** The form that TensorFlow gives a parameter: kernels end in [in, out], which may be the model's own form. */
function tensorflowForm(
  { shape, neuronAxis, flattened }: Parameter,
  layout: RecordedLayout,
): Omit<Arrangement, 'part'> {
  const turns = shape.length > 2 || neuronAxis !== 1;
  if (flattened === null || layout === 'tensorflowChannelsFirst' || shape.length !== 2) {
    return { shape, axes: turns ? tensorflowAxes(shape.length) : identity(shape.length) };
  }
  const [outputs] = turns ? shape : [shape[1]!];
  return turns
    ? { shape: [outputs!, ...flattened], axes: [2, 3, 1, 0] }
    : { shape: [...flattened, outputs!], axes: [1, 2, 0, 3] };
}

/** What a question's own shape, the user, or values say; null: nothing. */
async function settledAlone(
  recording: Recording,
  { parameter, part, choices }: Question,
  layout: RecordedLayout | null,
): Promise<Arrangement | null> {
  const given = layout === null ? undefined : choices.get(layout);
  if (given !== undefined) return given;
  const different = distinct([...choices.values()]);
  if (different.length === 1) return different[0]!;
  if (part.shape === null) return choices.get('model')!;
  if (isOwnName(part.name, parameter.name)) return choices.get('model') ?? null;
  return parameter.data === null ? null : byValues(recording, parameter.data, different);
}

/** Recorded under the model's own name (perhaps with more in front), and so in the model's own form. */
const isOwnName = (recorded: string, model: string): boolean =>
  recorded === model || recorded.endsWith(`.${model}`) || model.endsWith(`.${recorded}`);

/** Of arrangements that put every number in the same place, the first. */
function distinct(arrangements: readonly Arrangement[]): Arrangement[] {
  const keys = arrangements.map(({ shape, axes }) => `${shape.join()}|${axes.join()}`);
  return arrangements.filter((_, k) => keys.indexOf(keys[k]!) === k);
}

async function byValues(
  recording: Recording,
  data: Float32Array,
  different: readonly Arrangement[],
): Promise<Arrangement | null> {
  for (const t of rowsToCompare(recording)) {
    const row = toFloat32(await recording.read(different[0]!.part.tensor, t));
    const equal = different.filter((arrangement) => sameNumbers(data, arranged(row, arrangement)));
    if (equal.length === 1) return equal[0]!;
  }
  return null;
}

/** The numbers of a parameter, of any shape, from those of a row of the recorded tensor. */
export function arranged(row: Float32Array, { part, shape, axes }: Arrangement): Float32Array {
  const size = sizeOf(shape);
  const recorded = axes.map((axis) => shape[axis]!);
  const inverse = axes.map((_, axis) => axes.indexOf(axis));
  return permuted(row.subarray(part.offset, part.offset + size), recorded, inverse);
}

/** The layout of kernels that settle themselves, or that the words of the names say. */
function sharedLayout(
  questions: readonly Question[],
  settled: ReadonlyMap<Question, Arrangement>,
  open: readonly Question[],
): { layout: RecordedLayout; evidence: string } | null {
  const kernels = questions.filter(
    ({ parameter, choices }) => parameter.shape.length > 1 && distinct([...choices.values()]).length > 0,
  );
  const others = kernels.filter((question) => settled.has(question) && question.choices.size < 3);
  const isTurned = (question: Question): boolean => !isIdentity(settled.get(question)!);
  const behindFlatten = open.some(({ parameter }) => parameter.flattened !== null);
  const [turned, own] = [others.filter(isTurned), others.filter((question) => !isTurned(question))];
  const words = open.map(({ part, parameter }) => wordsOf(part.name, parameter.name));
  const isTensorflow = words.every((word) => word === 'tensorflow') && own.length === 0;
  if (!behindFlatten && turned.length > 0 && own.length === 0)
    return { layout: 'tensorflow', evidence: 'the shapes of the other kernels' };
  if (!behindFlatten && isTensorflow)
    return { layout: 'tensorflow', evidence: 'the recorded names end in kernel' };
  if (turned.length === 0 && words.every((word) => word === 'model'))
    return { layout: 'model', evidence: 'the recorded names end in weight' };
  return turned.length === 0 && own.length > 0 && words.every((word) => word !== 'tensorflow')
    ? { layout: 'model', evidence: 'the shapes of the other kernels' }
    : null;
}

function wordsOf(recorded: string, model: string): RecordedLayout | null {
  const last = (name: string): string => name.replace(/:0$/, '').split(/[./]/).at(-1)!;
  if (last(recorded) === 'kernel' && last(model) !== 'kernel') return 'tensorflow';
  return last(recorded) === 'weight' ? 'model' : null;
}

function undecided(recording: Recording, open: readonly Question[]): Error {
  const flattened = open
    .filter(({ parameter }) => parameter.flattened !== null)
    .map(({ parameter }) => parameter);
  const behind =
    flattened.length === 0
      ? ''
      : `; ${listed(flattened.map(({ name }) => name))} stand behind a Flatten, where channels may be first or last`;
  return misfit(
    recording.name,
    `kernels ${listed(open.map(({ parameter }) => described(parameter)))}, whose recorded shapes do not tell the order of their axes${behind}`,
    'shapes, names or values that tell it',
    'say it with --layout model (as the model’s), tensorflow (dense [in, out], channels last) or tensorflowChannelsFirst',
  );
}
