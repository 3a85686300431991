import { UsageError } from '../errors.js';
import { sizeOf } from '../formats/array.js';
import { remedyOfShape, withoutOnes } from '../formats/extents.js';
import type { Reading } from '../formats/reading.js';
import { sharedFrom, sharedLike } from './shared.js';
import type { Examples, RawDataset } from './types.js';

/** What the labels of a data set must be for a network and its loss. */
export interface LabelUse {
  /** Classes, or numbers to compare each output with: between 0 and 1, or any; none: the network computes its loss. */
  readonly kind: 'classes' | 'shares' | 'numbers' | 'none';
  /** Extents of the network's output for one example, such as [10], or [T, V] where every position has its classes. */
  readonly outputShape: readonly number[];
  /** Label of examples that do not count. */
  readonly ignored: number | null;
}

interface Fitted {
  readonly labels: Examples['labels'];
  readonly words: string | null;
}

/**
 * The data set with its labels in the form that a network and its loss take, and what was decided about them: classes may stand in a
 * column, as floats that are whole, or one-hot; targets as integers. Throws UsageError, saying what would fit, where none of these does.
 */
export function fitLabels(raw: RawDataset, use: LabelUse): RawDataset {
  if (use.kind === 'none') return raw;
  const fit = use.kind === 'classes' ? classFitter(raw, use) : { ...targetFitter(raw, use), classAxis: 1 };
  const words = new Set<string>();
  const convert = (examples: Examples): Examples => {
    const { labels, words: said } = fit.convert(examples);
    if (said !== null) words.add(said);
    return { ...examples, labels };
  };
  const pool = convert(raw.pool);
  const sets = Object.fromEntries(Object.entries(raw.sets).map(([name, set]) => [name, convert(set)]));
  const classes = use.kind === 'classes' ? use.outputShape[fit.classAxis - 1]! : 0;
  const ignored = [pool, ...Object.values(sets)].some(
    ({ labels }) => use.kind === 'classes' && labels.includes(classes),
  );
  const readings = [...words].map((decision) => ({ about: 'labels', decision, evidence: fit.evidence }));
  return {
    ...raw,
    pool,
    sets,
    classes,
    labelling: { classAxis: fit.classAxis, ignored: ignored ? classes : null },
    readings: [
      ...raw.readings,
      ...readings,
      ...(ignored ? [ignoredReading(use)] : []),
      ...(use.kind === 'classes' && use.outputShape.length === 1 ? countedFrom(pool.labels) : []),
    ],
  };
}

/** That the classes of examples are counted from 0, where none of them has class 0. */
function countedFrom(labels: Examples['labels']): Reading[] {
  if (labels.includes(0)) return [];
  const decision = 'classes count from 0, and no training example is of class 0; were they to count from 1, subtract 1';
  return [{ about: 'labels', decision, evidence: `the smallest is ${Math.min(...new Set(labels))}`, warning: true }];
} // prettier-ignore

function ignoredReading({ ignored }: LabelUse): Reading {
  return {
    about: 'labels',
    decision: `examples labelled ${ignored!} count neither in the sum nor in the number`,
    evidence: 'ignoreLabel, by default PyTorch’s −100',
  };
}

/** Where the classes of an output stand, seen from the labels: last, or behind the examples as PyTorch's losses take them. */
function classAxisOf({ labelShape, name }: RawDataset, outputShape: readonly number[]): number | null {
  const labels = withoutOnes(labelShape);
  const fits = outputShape.map(
    (_, axis) => withoutOnes(outputShape.filter((__, k) => k !== axis)).join() === labels.join(),
  );
  const [first, last] = [fits[0]!, fits.at(-1)!];
  if (first && last && outputShape.length > 1) {
    throw misfit(
      `data set ${name} with labels [N, ${labelShape.join(', ')}] for outputs [N, ${outputShape.join(', ')}], whose classes may be axis 1 or the last`,
      'extents that tell positions from classes',
      'use another number of positions',
    );
  }
  return last ? outputShape.length : first ? 1 : null;
}

function classFitter(raw: RawDataset, use: LabelUse) {
  const { outputShape } = use;
  const axis = classAxisOf(raw, outputShape);
  const classes = outputShape[(axis ?? outputShape.length) - 1]!;
  const isOneHot = axis === null && outputShape.length === 1 && sizeOf(raw.labelShape) === classes;
  if (axis === null && !isOneHot) {
    throw misfit(
      `data set ${raw.name} with labels [N${raw.labelShape.map((extent) => `, ${extent}`).join('')}]`,
      `classes [N${outputShape
        .slice(0, -1)
        .map((extent) => `, ${extent}`)
        .join(
          '',
        )}] from 0 to ${classes - 1}, or one-hot [N, ${classes}], for outputs [N, ${outputShape.join(', ')}]`,
      'save class numbers as integers',
    );
  }
  const column = raw.labelShape.length > 0 && sizeOf(raw.labelShape) === 1 && outputShape.length === 1;
  return {
    classAxis: axis ?? 1,
    evidence: isOneHot ? 'every row has a single 1 and else 0' : 'their extents and numbers fit the outputs',
    convert: (examples: Examples): Fitted => {
      if (isOneHot)
        return {
          labels: fromOneHot(examples, classes, use.ignored, raw.name),
          words: `one-hot rows of ${classes} read as classes`,
        };
      const floats = !(examples.labels instanceof Int32Array);
      const said = [
        column ? 'y [N, 1] read as classes [N]' : '',
        floats ? 'floats read as classes' : '',
      ].filter((each) => each !== '');
      const labels = wholeClasses(examples, classes, use.ignored, raw.name);
      return { labels, words: said.length > 0 ? said.join('; ') : null };
    },
  };
}

/** Classes as int32, with `ignored`, which may be one of them, as one more than the last class. */
function wholeClasses(
  { labels }: Examples,
  classes: number,
  ignored: number | null,
  name: string,
): Int32Array {
  const result = sharedLike(new Int32Array(0), labels.length);
  for (let k = 0; k < labels.length; k++) {
    const label = labels[k]!;
    const counts = label !== ignored;
    const isClass = Number.isInteger(label) && label >= 0 && label < classes;
    if (!isClass && counts) throw noClass(label, k, labels, classes, name);
    result[k] = counts ? label : classes;
  }
  return result;
}

function noClass(
  label: number,
  index: number,
  labels: Examples['labels'],
  classes: number,
  name: string,
): UsageError {
  const fromOne = classes > 1 && label === classes && !labels.includes(0);
  return misfit(
    `data set ${name} with class ${label} of example ${index}`,
    classes === 1 ? 'class 0, the only one' : `classes 0 to ${classes - 1}, one for each output`,
    fromOne
      ? 'number the classes from 0: subtract 1'
      : classes === 1
        ? 'a network of one output: say --loss sigmoidCrossEntropy for labels 0 and 1, --loss squaredError for numbers'
        : label < 0 && Number.isInteger(label)
          ? `number the classes from 0; where it marks what does not count, say --ignore-label ${label}`
          : 'choose data and network that fit each other; regression needs --loss squaredError',
  );
}

/** The same of rows with a single 1. */
function fromOneHot(
  { labels, count }: Examples,
  classes: number,
  ignored: number | null,
  name: string,
): Int32Array {
  const result = sharedLike(new Int32Array(0), count);
  for (let example = 0; example < count; example++) {
    const row = labels.subarray(example * classes, (example + 1) * classes);
    const hot = row.indexOf(1);
    if (hot < 0 || row.some((value, k) => value !== (k === hot ? 1 : 0))) {
      throw misfit(
        `data set ${name} with labels [N, ${classes}] that are not one-hot (example ${example}: ${Array.from(row.slice(0, 6)).join(', ')})`,
        'a single 1 in each row and else 0, or classes [N]',
        'save class numbers; soft labels are not supported, several classes an example need --loss sigmoidCrossEntropy',
      );
    }
    result[example] = hot === ignored ? classes : hot;
  }
  return result;
}

function targetFitter({ name, labelShape }: RawDataset, { kind, outputShape }: LabelUse) {
  const outputs = sizeOf(outputShape);
  if (sizeOf(labelShape) !== outputs) {
    throw misfit(
      `data set ${name} with ${sizeOf(labelShape)} targets an example`,
      `y [N, ${outputShape.join(', ')}], one target per output of the network`,
      kind === 'shares' && outputs > 1
        ? 'save one 0 or 1 for each output; for one class an example choose --loss softmaxCrossEntropy'
        : 'choose data, network and loss that fit each other',
    );
  }
  if (withoutOnes(labelShape).join() !== withoutOnes(outputShape).join()) {
    throw misfit(
      `data set ${name} with targets [N, ${labelShape.join(', ')}]`,
      `y [N, ${outputShape.join(', ')}], in the order of the network's outputs`,
      remedyOfShape('y', labelShape, outputShape)!,
    );
  }
  return {
    evidence: 'as many numbers as outputs',
    convert: ({ labels }: Examples): Fitted => {
      const strange = kind === 'shares' ? labels.findIndex((value) => !(value >= 0 && value <= 1)) : -1;
      if (strange >= 0) {
        throw misfit(
          `data set ${name} with target ${labels[strange]!} of element ${strange}`,
          'targets from 0 to 1 for sigmoid cross-entropy',
          labels[strange] === -1 ? 'save 0 in place of −1' : 'scale the targets, or choose another loss',
        );
      }
      if (!(labels instanceof Int32Array)) return { labels, words: null };
      return { labels: sharedFrom(new Float32Array(0), labels), words: 'integers read as targets' };
    },
  };
}

function misfit(given: string, expected: string, remedy: string): UsageError {
  return new UsageError({ given, expected, remedy });
}
