import { existsSync, readFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import {
  configKeys,
  fileOnlyKeys,
  runConfigSchema,
  type ConfigKey,
  type RunConfig,
  type RunConfigInput,
} from '../experiment/config/schema.js';

type FlagKey = Exclude<ConfigKey, 'preset' | 'schedule' | 'groups' | 'forks' | 'groupings'>;

/** Under which heading of the help each flag stands. */
const headings: Readonly<Record<FlagKey, string>> = {
  process: 'Model and data:', processTimeout: 'Model and data:', model: 'Model and data:', data: 'Model and data:', validation: 'Model and data:', divisor: 'Model and data:',
  standardise: 'Model and data:', subset: 'Model and data:', trajectory: 'Model and data:', init: 'Model and data:',
  seed: 'Model and data:', follow: 'Model and data:', checkpointPattern: 'Model and data:', names: 'Model and data:', layout: 'Model and data:',
  frozen: 'Model and data:', rest: 'Model and data:', ignore: 'Model and data:', outputs: 'Loss:', ignoreLabel: 'Loss:',
  loss: 'Loss:', labelSmoothing: 'Loss:', classWeights: 'Loss:', reduction: 'Loss:',
  optimizer: 'Training:', learningRate: 'Training:', momentum: 'Training:', meanSquareDecay: 'Training:',
  beta1: 'Training:', beta2: 'Training:', epsilon: 'Training:', convention: 'Training:', accumulate: 'Training:', weightDecay: 'Training:', clipNorm: 'Training:', maxLoss: 'Training:', ema: 'Training:', batchSize: 'Training:',
  iterations: 'Training:',
  measure: 'Measuring:', measureWeightDecay: 'Measuring:', rule: 'Measuring:', tolerance: 'Measuring:',
  subintervals: 'Measuring:', maxSubintervals: 'Measuring:', certify: 'Measuring:', sample: 'Measuring:', error: 'Measuring:', chunk: 'Measuring:',
  lanes: 'Measuring:', keep: 'Measuring:', parts: 'Measuring:', keepParts: 'Measuring:', components: 'Measuring:',
  keepComponents: 'Measuring:', statistics: 'Measuring:', statisticsDecay: 'Training:', basis: 'Measuring:', engine: 'Measuring:', arithmetic: 'Measuring:',
  name: 'Report:', date: 'Report:', tags: 'Report:',
}; // prettier-ignore

/** Flags whose value stays text; every other value is read as a number where it is one. */
const textual: readonly ConfigKey[] = [
  'name',
  'date',
  'tags',
  'model',
  'data',
  'trajectory',
  'init',
  'basis',
  'checkpointPattern',
  'process',
];

/** What the value of a flag is called in the help, where its key says more than that it is text, a number or one of its choices. */
const placeholders: Partial<Readonly<Record<FlagKey, string>>> = {
  trajectory: 'path',
  init: 'path',
  basis: 'path|pca:N',
  checkpointPattern: 'regexp',
  process: 'command',
  sample: 'number|auto',
};

/** Flags whose value is a list, its entries apart by commas. */
const lists: readonly ConfigKey[] = [
  'measure',
  'statistics',
  'parts',
  'classWeights',
  'names',
  'frozen',
  'ignore',
  'tags',
];

const flagKeys = configKeys.filter((key): key is FlagKey => !fileOnlyKeys.includes(key));

/** Keys of every command that trains: an objective process measures what is recorded. */
export const trainedKeys: readonly ConfigKey[] = flagKeys.filter(
  (key) => key !== 'process' && key !== 'processTimeout',
);

/**
 * Adds one flag for each of these keys of a run file: `learningRate` is `--learning-rate`. `defaults` are the values that the command
 * gives keys left out, where these are not the schema's, or words for what they all are.
 */
export function addConfigFlags(
  command: Command,
  keys: readonly ConfigKey[],
  defaults: RunConfigInput | string = {},
): Command {
  for (const key of flagKeys) if (keys.includes(key)) addFlag(command, key, defaults);
  return command;
}

function addFlag(command: Command, key: FlagKey, defaults: RunConfigInput | string): void {
  const schema = runConfigSchema.shape[key] as unknown as Described;
  const value = runConfigSchema.shape[key].parse(typeof defaults === 'string' ? undefined : defaults[key]);
  const isSwitch = typeof value === 'boolean';
  const choices = isSwitch ? [] : choicesOf(schema);
  const placeholder = isSwitch ? '[bool]' : `<${placeholderOf(key, choices)}>`;
  const option = new Option(`--${kebab(key)} ${placeholder}`, schema.description ?? key);
  option.description += ` (default: ${typeof defaults === 'string' ? defaults : inWords(value)})`;
  if (choices.length > 0) option.choices(choices);
  // Choices stand in the help; what is given is checked by the schema, in its own words.
  command.addOption(option.argParser((text: string) => parseValue(key, text)).helpGroup(headings[key]));
  if (isSwitch) command.addOption(new Option(`--no-${kebab(key)}`).hideHelp());
}

/** What is read of a schema. */
interface Described {
  readonly description?: string | undefined;
  readonly options?: readonly unknown[];
  readonly def: { readonly innerType?: Described; readonly out?: Described; readonly element?: Described };
}

/** The words that a schema allows, below defaults, `none` and lists; none where it is no choice. */
function choicesOf(schema: Described): readonly string[] {
  if (schema.options?.every((option) => typeof option === 'string')) return schema.options;
  const inner = schema.def.innerType ?? schema.def.out ?? schema.def.element;
  return inner === undefined ? [] : choicesOf(inner);
}

function placeholderOf(key: FlagKey, choices: readonly string[]): string {
  const own = placeholders[key];
  if (own !== undefined) return own;
  if (lists.includes(key)) return 'list';
  if (choices.length > 0) return 'name';
  if (headings[key] === 'Report:') return 'text';
  return textual.includes(key) ? 'name|path' : 'number';
}

function inWords(value: RunConfig[FlagKey]): string {
  if (value === null) return 'none';
  return Array.isArray(value) ? value.join(',') : String(value);
}

/** A value as a run file would state it; what does not fit stays text, which the schema refuses in its own words. */
function parseValue(key: ConfigKey, text: string): unknown {
  if (text === 'none') return text;
  if (lists.includes(key))
    return textual.includes(key) ? text.split(',') : listOf(key, text).map(numberOrText);
  if (textual.includes(key)) return text;
  if (text === 'true' || text === 'false') return text === 'true';
  return numberOrText(text);
}

function numberOrText(text: string): string | number {
  return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);
}

/** The entries of a list; `names` may be a file, one a line. */
function listOf(key: ConfigKey, text: string): string[] {
  if (key !== 'names' || !existsSync(text)) return text.split(',');
  const lines = readFileSync(text, 'utf8').split(/\r?\n/);
  return lines.map((line) => line.trim()).filter((line) => line !== '');
}

/** The flag of a key, without its dashes. */
export function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The configuration keys among a command's parsed options; they are checked when the configuration is resolved. */
export function configFlags(options: Readonly<Record<string, unknown>>): RunConfigInput {
  return Object.fromEntries(flagKeys.filter((key) => key in options).map((key) => [key, options[key]]));
}
