import { DataError } from '../../errors.js';
import type { Reading } from '../../formats/reading.js';
import { otherWords, slotsOfNames, stepWords, type Slot } from './slots.js';

/** The iterations of checkpoints, in the order of the names given, and what showed them. */
export interface NumberedNames {
  readonly iteration: readonly number[];
  readonly reading: Reading;
}

/** Last parts of words whose numbers count rounds of training. */
const epochWords = /(^|_)(epoch|ep)s?$/;

/** Parts of words whose numbers tell trainings apart, or what ran beside each other in one. */
const runWords = /(^|_)(seed|fold|trial|run|rank|worker|replica|gpu|split)s?$/;

/**
 * Which number of each name is the iteration. A number behind `step` or `iteration` is, else one behind `epoch`; else the only number
 * that differs, unless the word before it says that it is something else, such as a metric or a seed. `names` are file or folder names without extension;
 * `pattern` is the user's, whose group is the iteration. Throws DataError where names leave it open.
 */
export function numberNames(names: readonly string[], place: string, pattern?: RegExp): NumberedNames {
  if (pattern !== undefined) return byPattern(names, pattern);
  const slots = slotsOfNames(names);
  const first = slots[0] ?? [];
  if (slots.some((each) => skeleton(each) !== skeleton(first)))
    throw ambiguous(names, place, 'names of several kinds');
  const varying = first.map((_, k) => k).filter((k) => new Set(slots.map((each) => each[k]!.text)).size > 1);
  const counts = varying.filter((k) => isCount(slots, k) && !otherWords.test(first[k]!.word));
  const steps = counts.filter((k) => stepWords.test(first[k]!.word));
  const epochs = counts.filter((k) => epochWords.test(first[k]!.word));
  const chosen =
    chooseAlone(steps, slots) ??
    chooseAlone(epochs, slots) ??
    (varying.length === 1 ? chooseAlone(counts, slots) : null);
  const iteration = chosen === null ? null : slots.map((each) => Number(each[chosen]!.text));
  if (chosen === null || iteration === null) throw ambiguous(names, place, describeVarying(slots, varying));
  const runs = varying.filter((k) => runWords.test(first[k]!.word) && isWhole(slots, k));
  if (runs.length > 0)
    throw ambiguous(
      names,
      place,
      `numbers after ${first[runs[0]!]!.word} that differ, as of several trainings`,
    );
  const others = varying.filter((k) => k !== chosen && isWhole(slots, k) && !otherWords.test(first[k]!.word));
  requireAgreement(slots, iteration, others, names, place);
  const { word } = first[chosen]!;
  const separator = slots.find((each) => each[chosen]!.separator !== undefined)?.[chosen]!.separator;
  return {
    iteration,
    reading: {
      about: 'iterations of the checkpoints',
      decision: word === '' ? 'the number in the name' : `the number after ${word} in the name`,
      evidence: [
        stepWords.test(word) || epochWords.test(word) ? `${word} counts training` : 'no other number differs',
        ...(varying.length > 1
          ? [`others, such as those after ${othersOf(first, varying, chosen)}, do not`]
          : []),
        ...(separator === undefined ? [] : [`thousands are set apart by ${signs[separator]!}`]),
      ].join('; '),
    },
  };
}

/** Signs that set thousands apart, in words. */
const signs: Readonly<Record<string, string>> = {
  ',': 'commas',
  "'": 'apostrophes',
  _: 'underscores',
  ' ': 'spaces',
};

function othersOf(first: readonly Slot[], varying: readonly number[], chosen: number): string {
  return varying
    .filter((k) => k !== chosen)
    .map((k) => first[k]!.word || 'a dash')
    .join(', ');
}

/** The words of a name's numbers in order: the same for checkpoints that one program named. */
const skeleton = (slots: readonly Slot[]): string => slots.map(({ word }) => word).join('#');

/** Whether a number is whole, and different, in every name, and counts the same in all: `1B` and `500` do not. */
function isCount(slots: readonly (readonly Slot[])[], k: number): boolean {
  const texts = slots.map((each) => each[k]!.text);
  return isWhole(slots, k) && new Set(texts.map(Number)).size === texts.length;
}

function isWhole(slots: readonly (readonly Slot[])[], k: number): boolean {
  const own = slots.map((each) => each[k]!);
  return own.every(({ text, behind }) => /^\d+$/.test(text) && behind === own[0]!.behind);
}

/** The only candidate; of several only those that give the same order agree, and the last one is taken. */
function chooseAlone(candidates: readonly number[], slots: readonly (readonly Slot[])[]): number | null {
  const orders = new Set(candidates.map((k) => orderOf(slots.map((each) => Number(each[k]!.text))).join()));
  return orders.size === 1 ? candidates.at(-1)! : null;
}

const orderOf = (numbers: readonly number[]): number[] =>
  [...numbers.keys()].sort((a, b) => numbers[a]! - numbers[b]!);

/** Steps that start again in every epoch, or in every stage of training, are not iterations of the whole training. */
function requireAgreement(
  slots: readonly (readonly Slot[])[],
  iteration: readonly number[],
  others: readonly number[],
  names: readonly string[],
  place: string,
): void {
  for (const k of others) {
    const ordered = orderOf(iteration).map((t) => Number(slots[t]![k]!.text));
    if (ordered.some((other, t) => other < (ordered[t - 1] ?? -1))) {
      const { word } = slots[0]![k]!;
      const other = word === '' ? 'numbers alone' : `numbers after ${word}`;
      throw ambiguous(names, place, `steps and ${other} that give different orders`);
    }
  }
}

function describeVarying(slots: readonly (readonly Slot[])[], varying: readonly number[]): string {
  const first = slots[0] ?? [];
  if (first.length === 0) return 'no number';
  const words = varying.map((k) => {
    const word = first[k]!.word === '' ? 'a number alone' : `a number after ${first[k]!.word}`;
    const split = slots.map((each) => each[k]!.text).find((text) => /\d[,_' ]\d/.test(text));
    return split === undefined ? word : `${word} such as ${split}, which may be one number or several`;
  });
  return words.length === 0 ? 'no number that differs' : `numbers that differ: ${words.join('; ')}`;
}

function byPattern(names: readonly string[], pattern: RegExp): NumberedNames {
  // A group such as ([\d,]+) may take thousands in.
  const iteration = names.map((name) => Number(pattern.exec(name)?.[1]?.replace(/(?<=\d)[,_' ](?=\d{3}(?!\d))/g, '') ?? NaN)); // prettier-ignore
  if (iteration.every((value) => Number.isSafeInteger(value) && value >= 0)) {
    const evidence = `checkpointPattern ${pattern.source}`;
    return {
      iteration,
      reading: { about: 'iterations of the checkpoints', decision: 'as the pattern says', evidence },
    };
  }
  throw new DataError({
    given: `checkpoint pattern ${pattern.source}, whose group is no whole number in ${names[iteration.findIndex(Number.isNaN)] ?? names[0]!}`,
    expected: 'a regular expression with the iteration as its group, such as step=(\\d+)',
    remedy: 'correct --checkpoint-pattern',
  });
}

function ambiguous(names: readonly string[], place: string, found: string): DataError {
  const shown = names.slice(0, 3).join(', ');
  return new DataError({
    given: `${place}: checkpoints ${shown}${names.length > 3 ? ', …' : ''}, in which ${found}`,
    expected:
      'the iteration in each name: behind step, iteration or epoch, or as the only number that differs',
    remedy:
      "say which number it is, such as --checkpoint-pattern 'step=(\\d+)'; files that do not match are passed over",
  });
}
