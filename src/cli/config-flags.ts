import { Option, type Command } from 'commander';
import {
  configKeys,
  fileOnlyKeys,
  runConfigSchema,
  type ConfigKey,
  type RunConfigInput,
} from '../experiment/config/schema.js';

/** Flags whose value stays text; every other value is read as a number where it is one. */
const textual: readonly ConfigKey[] = ['model', 'data', 'trajectory', 'init'];

const flagKeys = configKeys.filter((key) => !fileOnlyKeys.includes(key));

/**
 * Adds one flag for each of these keys of a run file, by default all: `learningRate` is `--learning-rate`. `defaults` are the values
 * that the command gives keys left out, where these are not the schema's.
 */
export function addConfigFlags(
  command: Command,
  keys: readonly ConfigKey[] = flagKeys,
  defaults: RunConfigInput = {},
): Command {
  for (const key of keys) command.addOption(optionFor(key, defaults[key]));
  return command;
}

function optionFor(key: ConfigKey, own: unknown): Option {
  const schema: { description?: string | undefined } = runConfigSchema.shape[key];
  const byDefault = defaultOf(key, own);
  const value = byDefault === 'false' ? '' : ' <value>';
  const option = new Option(`--${kebab(key)}${value}`, `${schema.description ?? key} (${byDefault})`);
  if (value === '') return option;
  return option.argParser((text: string) => parseValue(key, text));
}

function defaultOf(key: ConfigKey, own: unknown): string {
  const value = runConfigSchema.shape[key].parse(own);
  if (value === null) return 'none';
  return typeof value === 'object' ? Object.values(value).join(',') : String(value);
}

function parseValue(key: ConfigKey, text: string): unknown {
  if (key === 'measure') return text === 'none' ? text : text.split(',');
  if (key === 'classWeights' && text !== 'none') return text.split(',').map(Number);
  if (textual.includes(key) || text.trim() === '' || Number.isNaN(Number(text))) return text;
  return Number(text);
}

function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The configuration keys among a command's parsed options; they are checked when the configuration is resolved. */
export function configFlags(options: Readonly<Record<string, unknown>>): RunConfigInput {
  return Object.fromEntries(flagKeys.filter((key) => key in options).map((key) => [key, options[key]]));
}
