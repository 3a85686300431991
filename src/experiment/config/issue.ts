import { closest, distance } from 'fastest-levenshtein';
import type * as z from 'zod';
import type { Problem } from '../../errors.js';
import { configKeys, groupKeys, runConfigSchema, scheduleKeys, type ConfigKey } from './schema.js';

type Issue = z.core.$ZodIssue;

/** What a configuration's schema refuses, in words; `sourceOf` names where a key comes from. */
export function problemOf(
  issues: readonly Issue[],
  input: unknown,
  sourceOf: (key: string) => string,
): Problem {
  const issue = decisive(issues);
  const place = placeOf(issue.path);
  const source = sourceOf(String(issue.path[0] ?? (issue.code === 'unrecognized_keys' ? issue.keys[0] : '')));
  if (issue.code === 'unrecognized_keys') return unknownKey(issue.keys[0]!, issue.path, input, source);
  const value = valueAt(input, issue.path);
  const { expected, choices } = expectationOf(issue);
  const key = String(issue.path[0]);
  const meant = typeof value === 'string' ? similar(value, choices) : null;
  return {
    given: `${value === undefined ? `${place}, which is missing,` : `${place}: ${inWords(value)}`} in ${source}`,
    expected,
    remedy: meant === null ? `correct ${key} (${describeKey(key)})` : `did you mean ${meant}?`,
  };
}

/** Of several bounds on one value, the schema states its own last. */
function decisive(issues: readonly Issue[]): Issue {
  const first = issues[0]!;
  return issues.findLast(({ code, path }) => code === first.code && placeOf(path) === placeOf(first.path))!;
}

function unknownKey(key: string, path: Issue['path'], input: unknown, source: string): Problem {
  const allowed = keysAt(path, input);
  const meant = usualName(key, allowed) ?? closest(key, [...allowed]);
  const where = path.length > 0 ? ` of ${placeOf(path)}` : '';
  return {
    given: `unknown key ${JSON.stringify(key)}${where} in ${source}`,
    expected: `one of ${allowed.join(', ')}`,
    remedy: `did you mean ${meant}? If not, leave ${key} out`,
  };
}

function keysAt(path: Issue['path'], input: unknown): readonly string[] {
  if (path[0] === 'groups') return groupKeys;
  if (path[0] === 'schedule') return scheduleKeys[String(valueAt(input, ['schedule', 'kind']))] ?? [];
  return configKeys;
}

/** `groups[0].match` for ['groups', 0, 'match']. */
function placeOf(path: Issue['path']): string {
  return path.reduce<string>(
    (text, part) => text + (typeof part === 'number' ? `[${part}]` : `${text && '.'}${String(part)}`),
    '',
  );
}

function valueAt(input: unknown, path: Issue['path']): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[part] : undefined,
    input,
  );
}

function inWords(value: unknown): string {
  return typeof value === 'number' ? String(value) : JSON.stringify(value);
}

interface Expectation {
  readonly expected: string;
  /** Names to choose from; none where it is no choice. */
  readonly choices: readonly string[];
}

const typeWords: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  string: 'text',
  array: 'a list',
  object: 'keys with their values',
  boolean: 'true or false',
};

function expectationOf(issue: Issue): Expectation {
  if (issue.code === 'invalid_type') return plain(typeWords[issue.expected] ?? issue.expected);
  if (issue.code === 'too_small') {
    return plain(bound(issue.origin, issue.inclusive ? 'at least' : 'above', issue.minimum));
  }
  if (issue.code === 'too_big') {
    return plain(bound(issue.origin, issue.inclusive ? 'at most' : 'below', issue.maximum));
  }
  if (issue.code === 'invalid_value') return choice(issue.values.map(String));
  if (issue.code !== 'invalid_union') return plain(issue.message.replace(/^expected /, ''));
  if ('options' in issue) return choice((issue.options as unknown[]).map(String));
  return plain(issue.errors.map((alternative) => expectationOf(alternative[0]!).expected).join(' or '));
}

const plain = (expected: string): Expectation => ({ expected, choices: [] });
const choice = (choices: readonly string[]): Expectation => ({
  expected: `one of ${choices.join(', ')}`,
  choices,
});

function bound(origin: string, words: string, limit: number | bigint): string {
  if (origin === 'array') return `${words} ${limit} ${limit === 1 ? 'entry' : 'entries'}`;
  if (origin === 'string') return `text of ${words} ${limit} ${limit === 1 ? 'character' : 'characters'}`;
  return `a number ${words} ${limit}`;
}

/** The choice that a misspelt or shortened word is nearest to; null where none is near. */
function similar(word: string, choices: readonly string[]): string | null {
  if (choices.length === 0) return null;
  const lower = word.toLowerCase();
  const swapped = choices.find((choice) => lettersOf(choice) === lettersOf(lower));
  const longer =
    lower.length > 2 ? choices.find((choice) => choice.toLowerCase().includes(lower)) : undefined;
  const nearest = swapped ?? longer ?? closest(word, [...choices]);
  if (nearest === swapped || nearest === longer) return nearest;
  return distance(word, nearest) <= Math.max(1, nearest.length / 3) ? nearest : null;
}

const lettersOf = (word: string): string => [...word].sort().join('');

/** What other tools call these keys. */
const otherNames: Readonly<Record<string, ConfigKey>> = {
  lr: 'learningRate', alpha: 'learningRate', epochs: 'iterations', epoch: 'iterations', steps: 'iterations',
  maxsteps: 'iterations', batch: 'batchSize', bs: 'batchSize', wd: 'weightDecay', l2: 'weightDecay', gradaccum: 'accumulate',
  gradientaccumulation: 'accumulate', gradientaccumulationsteps: 'accumulate', rho: 'meanSquareDecay', eps: 'epsilon', gradclip: 'clipNorm', maxnorm: 'clipNorm', dataset: 'data',
  device: 'engine', backend: 'engine', network: 'model', weights: 'classWeights', opt: 'optimizer', split: 'measure', splits: 'measure',
}; // prettier-ignore

/** What a key that other tools use is called here, among the allowed ones; null where it is not known. */
export function usualName(word: string, allowed: readonly string[] = configKeys): string | null {
  const name = otherNames[word.toLowerCase().replace(/[-_]/g, '')];
  return name !== undefined && allowed.includes(name) ? name : null;
}

function describeKey(key: string): string {
  const shape: Record<string, { description?: string | undefined }> = runConfigSchema.shape;
  return shape[key]?.description ?? 'see docs/FORMAT.md';
}
