import type { DataError } from '../../errors.js';
import { misfit } from '../../formats/source.js';

/** What is read of a user's data. */
export interface ReadAs {
  /** Names of the network's inputs; null: it has one, whose array is `x`. */
  readonly inputs: readonly string[] | null;
  /** Whether there must be labels `y`: not where a network computes its loss. */
  readonly labels: boolean;
}

/** One input, `x`, and labels `y`. */
export const plainPair: ReadAs = { inputs: null, labels: true };

/** Names of the arrays of one set of examples. */
export interface SetArrays {
  /** `train`, or what follows `x_`. */
  readonly set: string;
  /** Of each input, in the network's order. */
  readonly inputs: readonly string[];
  readonly labels: string | null;
}

/** What the first part of an array's name says that it is: one of the network's inputs, or the labels. */
type Kind = number | 'labels';

/**
 * The sets of a user's arrays, `train` first: `x` and `y`, or arrays named as the network's inputs, and further ones with `_NAME` behind
 * for a set of that name. A name that lacks its counterpart would silently leave out a part of the data. Throws DataError.
 */
export function setsOf(names: readonly string[], { inputs, labels }: ReadAs, path: string): SetArrays[] {
  const own = firstParts(names, inputs ?? ['x'], labels);
  const wanted: Kind[] = [...(inputs ?? ['x']).keys(), ...(labels ? (['labels'] as const) : [])];
  const partOf = (kind: Kind): string => [...own].find(([, other]) => other === kind)?.[0] ?? 'y';
  const fail = (remedy: string): DataError => strange(names, path, wanted.map(partOf), remedy);
  if (own.size < wanted.length) throw fail('rename the input y of the network: y are the labels');
  const sets = new Map<string, Map<Kind, string>>();
  for (const name of names) {
    const read = readName(name, own);
    if (read === null) continue;
    const set = sets.get(read.set) ?? new Map<Kind, string>();
    if (set.has(read.kind)) throw fail(`rename ${name}: there are two of this set`);
    sets.set(read.set, set.set(read.kind, name));
  }
  const upper = names.filter((name) => /^[XY](_|$)/.test(name) && readName(name, own) === null);
  if (upper.length > 0) throw fail(`rename ${upper.join(', ')}`);
  if (!sets.has('train')) sets.set('train', new Map());
  const missing = [...sets].flatMap(([set, arrays]) =>
    wanted
      .filter((kind) => !arrays.has(kind))
      .map((kind) => `${partOf(kind)}${set === 'train' ? '' : `_${set}`}`),
  );
  if (missing.length > 0) throw fail(`add ${missing.join(sets.get('train')!.size === 0 ? ' and ' : ', ')}`);
  return [...sets]
    .map(([set, arrays]) => ({
      set,
      inputs: (inputs ?? ['x']).map((_, k) => arrays.get(k)!),
      labels: arrays.get('labels') ?? null,
    }))
    .sort((a, b) => Number(b.set === 'train') - Number(a.set === 'train'));
}

/** First parts of names, and what they say. The array of an only input is `x`, or is called like the input. */
function firstParts(names: readonly string[], inputs: readonly string[], labels: boolean): Map<string, Kind> {
  const own = new Map<string, Kind>(inputs.map((name, k) => [name, k]));
  if (
    inputs.length === 1 &&
    (names.includes('x') || names.includes('x_train') || !names.includes(inputs[0]!))
  ) {
    own.clear();
    own.set('x', 0);
  }
  if (labels) own.set('y', 'labels');
  return own;
}

/** What an array's name says: the longest of the known first parts that it is, or that stands before `_`. */
function readName(name: string, own: ReadonlyMap<string, Kind>): { kind: Kind; set: string } | null {
  const fitting = [...own.keys()].filter((part) => name === part || name.startsWith(`${part}_`));
  const part = fitting.sort((a, b) => b.length - a.length)[0];
  if (part === undefined) return null;
  const set = name === part ? 'train' : name.slice(part.length + 1);
  return set === '' ? null : { kind: own.get(part)!, set };
}

function strange(
  names: readonly string[],
  path: string,
  parts: readonly string[],
  remedy: string,
): DataError {
  const [input = 'x', ...others] = parts;
  const counterpart = (set: string): string =>
    `${input}_${set}${others.map((other) => ` with ${other}_${set}`).join('')}`;
  const further = `optionally ${counterpart('validation')}, ${counterpart('test')}, or other names`;
  return misfit(path, `arrays ${names.join(', ') || '(none)'}`, `${parts.join(' and ')}; ${further}`, remedy);
}
