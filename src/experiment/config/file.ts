import { readFile } from 'node:fs/promises';
import { closest } from 'fastest-levenshtein';
import { UsageError } from '../../errors.js';
import { configKeys, runConfigSchema, type RunConfig, type RunConfigInput } from './schema.js';
import { requireEffect } from './effect.js';
import { problemOf } from './issue.js';
import { presets } from './presets.js';

/** Where a configuration comes from, weakest first: defaults, preset, run file, flags. */
export interface ConfigSource {
  /** Preset name or path of a run file. */
  readonly from?: string | undefined;
  readonly flags?: RunConfigInput;
}

/**
 * Resolves a preset or run file with flags on top; throws UsageError that names the key, the value and what is allowed, and for a setting
 * that would have no effect.
 */
export async function resolveConfig({ from, flags = {} }: ConfigSource): Promise<RunConfig> {
  const base = from === undefined ? {} : await baseConfig(from);
  const sourceOf = (key: string) => (from === undefined || key in flags ? 'the command line' : from);
  return requireEffect(checkConfig({ ...base, ...flags }, sourceOf), sourceOf);
}

/** Checks a configuration that the command line alone states. Throws UsageError as `resolveConfig` does. */
export function statedConfig(flags: RunConfigInput): RunConfig {
  const source = 'the command line';
  return requireEffect(checkConfig(flags, source), () => source);
}

/** The keys that a preset or a run file states. Throws UsageError. */
export async function baseConfig(from: string): Promise<Record<string, unknown>> {
  return /[/\\]|\.(ya?ml|json)$/i.test(from) ? readRunFile(from) : presetConfig(from);
}

/** The keys of a preset, its name included. Throws UsageError where there is none of that name. */
export function presetConfig(name: string): RunConfigInput {
  const preset = presets.find((candidate) => candidate.name === name);
  if (preset) return { preset: name, ...preset.config };
  const names = presets.map((candidate) => candidate.name);
  throw new UsageError({
    given: `preset ${JSON.stringify(name)}`,
    expected: `one of ${names.join(', ')}, or the path of a run file (.yaml, .yml, .json)`,
    remedy: `did you mean ${closest(name, names)}? \`lca presets\` lists all`,
  });
}

async function readRunFile(path: string): Promise<Record<string, unknown>> {
  const { preset = null, ...own } = await readKeys(path, 'run file', configKeys);
  if (preset === null) return own;
  if (typeof preset !== 'string') {
    throw new UsageError({
      given: `preset: ${JSON.stringify(preset)} in ${path}`,
      expected: 'the name of a preset',
      remedy: '`lca presets` lists them',
    });
  }
  return { ...presetConfig(preset), ...own };
}

/** The keys and values of a YAML or JSON file. Throws UsageError where it cannot be read, or has other content than `keys` with values. */
export async function readKeys(
  path: string,
  kind: string,
  keys: readonly string[],
): Promise<Record<string, unknown>> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new UsageError(
      {
        given: `${kind} ${path}, which cannot be read`,
        expected: 'a readable YAML or JSON file',
        remedy: 'check the path; `lca presets` lists what needs no file',
      },
      { cause },
    );
  });
  const content = await parseYaml(text, path, kind);
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new UsageError({
      given: `${kind} ${path} without keys`,
      expected: `lines such as \`${keys[0]!}: …\``,
      remedy: `use keys from: ${keys.join(', ')}`,
    });
  }
  return content as Record<string, unknown>;
}

async function parseYaml(text: string, path: string, kind: string): Promise<unknown> {
  // Most commands read no such file, and the parser is large.
  const { parse } = await import('./yaml.js');
  try {
    const content: unknown = parse(text);
    // An alias may stand inside of what it names: such a value has no end, and nothing can be said of it.
    JSON.stringify(content);
    return content;
  } catch (cause) {
    throw new UsageError(
      {
        given: `${kind} ${path}: ${cause instanceof Error ? cause.message.split('\n')[0]! : 'not YAML'}`,
        expected: 'YAML or JSON that ends, without an alias inside of what it names',
        remedy: 'correct the syntax at the place named',
      },
      { cause },
    );
  }
}

/** Checks a whole configuration; `source` names in messages where it, or a key of it, comes from. Throws UsageError. */
export function checkConfig(input: unknown, source: string | ((key: string) => string)): RunConfig {
  const sourceOf = typeof source === 'string' ? () => source : source;
  const result = runConfigSchema.safeParse(input);
  if (result.success) return checkCombination(result.data, sourceOf);
  throw new UsageError(problemOf(result.error.issues, input, sourceOf));
}

function checkCombination(config: RunConfig, sourceOf: (key: string) => string): RunConfig {
  if ((config.subintervals ?? 1) > config.maxSubintervals) {
    throw new UsageError({
      given: `subintervals ${String(config.subintervals)} above maxSubintervals ${config.maxSubintervals} in ${sourceOf('subintervals')}`,
      expected: 'subintervals at most maxSubintervals',
      remedy: 'lower subintervals or raise maxSubintervals',
    });
  }
  if (config.keepComponents === 'parameters' && !config.components) {
    throw new UsageError({
      given: `keepComponents parameters without components in ${sourceOf('keepComponents')}`,
      expected: 'components, of which allocations can be kept',
      remedy: 'add components (--components), or leave out keepComponents',
    });
  }
  return config;
}
