import { UsageError } from '../../errors.js';
import { runConfigSchema, type ConfigKey, type RunConfig } from './schema.js';

/** What a setting needs in order to have an effect. */
interface Need {
  readonly key: ConfigKey;
  readonly isMet: (config: RunConfig) => boolean;
  /** What it stands beside where it has none. */
  readonly beside: (config: RunConfig) => string;
  readonly needed: string;
}

const forOptimizers = (key: ConfigKey, optimizers: readonly RunConfig['optimizer'][]): Need => ({
  key,
  isMet: ({ optimizer }) => optimizers.includes(optimizer),
  beside: ({ optimizer }) => `with optimizer ${optimizer}`,
  needed: `one of the optimizers ${optimizers.join(', ')}`,
});

const ofRecording = (key: ConfigKey): Need => ({
  key,
  isMet: ({ trajectory }) => trajectory !== null,
  beside: () => 'without trajectory',
  needed: 'a recorded trajectory, which it says how to read',
});

const squared = ['adam', 'rmsprop', 'adamw', 'lion', 'muon'] as const;

const needs: readonly Need[] = [
  forOptimizers('meanSquareDecay', squared),
  forOptimizers('beta2', squared),
  forOptimizers('epsilon', ['adam', 'rmsprop', 'adamw', 'muon']),
  ...(['checkpointPattern', 'names', 'layout', 'frozen', 'rest', 'ignore'] as const).map(ofRecording),
  {
    key: 'processTimeout',
    isMet: ({ process }) => process !== null,
    beside: () => 'without process',
    needed: 'a program that is waited for',
  },
  {
    key: 'keepParts',
    isMet: ({ parts }) => parts !== null,
    beside: () => 'without parts',
    needed: 'parts, of which allocations can be kept',
  },
  {
    key: 'error',
    isMet: ({ sample }) => sample === 'auto',
    beside: ({ sample }) => (sample === null ? 'without sample' : `with sample ${sample}`),
    needed: 'sample auto, which aims at it',
  },
];

/**
 * Refuses settings that would change nothing, since whoever states one means something; `sourceOf` names where a key comes from. What has its
 * usual value is no statement: a whole configuration may be given back as a run file. Throws UsageError.
 */
export function requireEffect(config: RunConfig, sourceOf: (key: string) => string): RunConfig {
  const idle = needs.find(({ key, isMet }) => !isMet(config) && !isUsual(config, key));
  if (idle === undefined) return config;
  const { key, beside, needed } = idle;
  throw new UsageError({
    given: `${key} ${inWords(config[key])} in ${sourceOf(key)} ${beside(config)}, where it has no effect`,
    expected: needed,
    remedy: `state that too, or leave out ${key}`,
  });
}

const isUsual = (config: RunConfig, key: ConfigKey): boolean =>
  config[key] === runConfigSchema.shape[key].parse(undefined);

function inWords(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(',');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Throws UsageError for an objective process: what a network and data give would be taken for what the program gives. */
export function refuseProcess({ process }: RunConfig): void {
  if (process === null) return;
  throw new UsageError({
    given: `process ${process} for a run of a network and data`,
    expected: 'lca measure --process COMMAND --trajectory F --out RUN',
    remedy: 'measure so what the program computes, or leave out process',
  });
}
