import { sizeOf } from '../../formats/array.js';
import type { Reading } from '../../formats/reading.js';
import { misfit } from '../../formats/source.js';
import { UsageError } from '../../errors.js';
import { fitsPattern, listed } from '../checks.js';
import type { ModelTensor, TensorShape } from '../types.js';

/** Which recorded tensor each tensor of the model is, by the model's names. */
export interface NamedMatch {
  readonly recorded: ReadonlyMap<string, string>;
  readonly readings: readonly Reading[];
}

/** A way of writing recorded names that may be the model's. */
interface Rename {
  /** In words; empty where names stay as they are. */
  readonly words: string;
  readonly recorded: (name: string) => string;
  /** Applied to the model's names before they are compared. */
  readonly model: (name: string) => string;
}

const same = (name: string): string => name;

/** Parts that wrappers of PyTorch, and modules that were saved whole, put into names. */
const wrappers = new Set([
  'module',
  '_orig_mod',
  '_fsdp_wrapped_module',
  '_forward_module',
  '_checkpoint_wrapped_module',
  '_modules',
  '_parameters',
  '_buffers',
]);

/** A name without the parts that wrappers put into it. */
export const unwrapped = (name: string): string =>
  name
    .split('.')
    .filter((part) => !wrappers.has(part))
    .join('.');

/** Whether a recorded name says that it is a tensor of the model: the same without the names of wrappers, but for a prefix of either. */
export function namesAlike(recorded: string, model: string): boolean {
  const [own, theirs] = [recorded, model].map((name) => unwrapped(name.replace(/:0$/, '')));
  return own === theirs || isSuffix(own!, theirs!) || isSuffix(theirs!, own!);
}

/** Last parts of Keras's and TensorFlow's names, as PyTorch calls the same. */
const tensorflowWords: Readonly<Record<string, string>> = {
  kernel: 'weight', gamma: 'weight', embeddings: 'weight', embedding: 'weight', scale: 'weight', beta: 'bias',
  moving_mean: 'running_mean', moving_variance: 'running_var', mean: 'running_mean', var: 'running_var',
}; // prettier-ignore

function plainWords(name: string): string {
  const parts = name.replace(/:0$/, '').split(/[./]/);
  const last = parts.at(-1)!;
  return [...parts.slice(0, -1), tensorflowWords[last] ?? last].join('.');
}

const renames: readonly Rename[] = [
  { words: '', recorded: same, model: same },
  { words: 'without :0', recorded: (name) => name.replace(/:0$/, ''), model: same },
  { words: 'without the names of wrappers (module, _orig_mod, …)', recorded: unwrapped, model: unwrapped },
  {
    words: 'with TensorFlow’s words (kernel, gamma, beta) as weight and bias',
    recorded: plainWords,
    model: plainWords,
  },
];

/** A renaming together with a prefix that one side has and the other has not. */
interface Candidate extends Rename {
  readonly matches: ReadonlyMap<string, string>;
}

/**
 * Matches recorded tensors to the model's by name and size: as they are; without the names of wrappers; in TensorFlow's words; each
 * also with one prefix that all have more, or less. Throws DataError where two prefixes fit equally well.
 */
export function matchNames(
  recorded: readonly TensorShape[],
  model: readonly ModelTensor[],
  file: string,
): NamedMatch {
  const wanted = model.filter(({ verdict }) => verdict === 'trained' || verdict === 'likely');
  const count = ({ matches }: Candidate): number => wanted.filter(({ name }) => matches.has(name)).length;
  let best: Candidate = { ...renames[0]!, matches: new Map() };
  for (const rename of renames) {
    const candidates = prefixed(rename, recorded, wanted).map((each) => ({
      ...each,
      matches: matchesOf(each, recorded, model),
    }));
    const most = Math.max(0, ...candidates.map(count));
    if (most <= count(best)) continue;
    const [first, second] = candidates.filter((each) => count(each) === most);
    const asIs = first!.words === rename.words;
    if (second !== undefined && !asIs) throw twoPrefixes(file, first!, second);
    best = first!;
  }
  return { recorded: best.matches, readings: readingsOf(best, count(best), wanted.length) };
}

function readingsOf({ words }: Candidate, matched: number, wanted: number): Reading[] {
  if (words === '' || matched === 0) return [];
  const evidence = `so ${matched} of ${wanted} parameters of the model are found with their sizes`;
  return [{ about: 'names of recorded tensors', decision: `read ${words}`, evidence }];
}

function twoPrefixes(file: string, first: Candidate, second: Candidate): Error {
  const [one, other] = [first, second].map(patternOf);
  return misfit(
    file,
    `tensors that are the model's ${first.words} or ${second.words}`,
    'one set of the model’s parameters',
    one === null || other === null
      ? 'say which, with --names recorded=model for each'
      : `say which: --names '${one}=*' --ignore '${other}', or the other way round`,
  );
}

/** The recorded names of a candidate, as a pattern of what is in front of the model's; null where they have nothing there in common. */
function patternOf({ matches }: Candidate): string | null {
  const prefixes = new Set(
    [...matches].map(([target, recorded]) =>
      recorded.endsWith(target) ? recorded.slice(0, recorded.length - target.length) : '',
    ),
  );
  const [prefix] = prefixes;
  return prefixes.size === 1 && prefix !== '' ? `${prefix!}*` : null;
}

/** A renaming as it is, and with each prefix that makes some name one of the model's. */
function prefixed(
  rename: Rename,
  recorded: readonly TensorShape[],
  wanted: readonly ModelTensor[],
): Rename[] {
  const removed = new Set<string>();
  const added = new Set<string>();
  for (const { name } of recorded) {
    const own = rename.recorded(name);
    for (const { name: target } of wanted) {
      const theirs = rename.model(target);
      if (isSuffix(own, theirs)) removed.add(own.slice(0, own.length - theirs.length));
      if (isSuffix(theirs, own)) added.add(theirs.slice(0, theirs.length - own.length));
    }
  }
  const words = (text: string): string => [rename.words, text].filter((each) => each !== '').join(', ');
  return [
    rename,
    ...[...removed].map((prefix) => ({
      ...rename,
      words: words(`without the prefix ${prefix}`),
      recorded: (name: string) => {
        const own = rename.recorded(name);
        return own.startsWith(prefix) ? own.slice(prefix.length) : own;
      },
    })),
    ...[...added].map((prefix) => ({
      ...rename,
      words: words(`with the prefix ${prefix}`),
      recorded: (name: string) => prefix + rename.recorded(name),
    })),
  ];
}

const isSuffix = (long: string, short: string): boolean =>
  long.length > short.length && long.endsWith(short) && /[./]/.test(long[long.length - short.length - 1]!);

/** The model's names with the recorded ones that a renaming makes theirs, where the sizes agree. */
function matchesOf(
  rename: Rename,
  recorded: readonly TensorShape[],
  model: readonly ModelTensor[],
): Map<string, string> {
  const byName = new Map<string, TensorShape>();
  for (const tensor of recorded) byName.set(rename.recorded(tensor.name), tensor);
  // Names that need no renaming come first.
  for (const tensor of recorded) byName.set(tensor.name, byName.get(tensor.name) ?? tensor);
  const matches = new Map<string, string>();
  for (const { name, shape } of model) {
    const tensor = byName.get(rename.model(name));
    if (tensor !== undefined && sizeOf(tensor.shape) === sizeOf(shape)) matches.set(name, tensor.name);
  }
  return matches;
}

/** The sides of a pair `recorded=model`. */
function sidesOf(pair: string): { readonly from: string; readonly to: string } {
  const [from = '', to = ''] = pair.split('=').map((side) => side.trim());
  return { from, to };
}

/** What the user says: pairs `recorded=model`, each side with at most one `*`. Throws UsageError where one matches nothing. */
export function namesGiven(
  pairs: readonly string[],
  recorded: readonly TensorShape[],
  model: readonly ModelTensor[],
): NamedMatch {
  const matches = new Map<string, string>();
  for (const pair of pairs) {
    const { from, to } = sidesOf(pair);
    const found = recorded.filter(({ name }) => fitsPattern(name, from));
    for (const { name } of found) {
      const target = to.replace('*', starred(name, from));
      const tensor = model.find((each) => each.name === target);
      if (tensor !== undefined) matches.set(target, name);
      else if (!from.includes('*')) throw noSuchName(pair, `tensor ${target} of the model`, model);
    }
    if (found.length === 0) throw noSuchName(pair, `recorded tensor ${from}`, recorded);
  }
  const evidence = `names ${listed(pairs)}`;
  return {
    recorded: matches,
    readings: [{ about: 'names of recorded tensors', decision: 'as given', evidence }],
  };
}

/** What the first of the user's pairs that fits a recorded name makes of it; null: none fits. */
export function nameGiven(pairs: readonly string[], name: string): string | null {
  for (const pair of pairs) {
    const { from, to } = sidesOf(pair);
    if (fitsPattern(name, from)) return to.replace('*', starred(name, from));
  }
  return null;
}

/** What stands for the `*` of a pattern in a name. */
function starred(name: string, pattern: string): string {
  const [before = '', after = ''] = pattern.split('*');
  return name.slice(before.length, name.length - after.length);
}

function noSuchName(pair: string, what: string, tensors: readonly TensorShape[]): UsageError {
  return new UsageError({
    given: `names ${pair}: there is no ${what}`,
    expected: listed(tensors.map(({ name }) => name)),
    remedy: 'correct --names',
  });
}
