import * as z from 'zod';
import { UsageError } from '../../errors.js';
import { checkConfig, readKeys } from '../../experiment/config/file.js';
import type { RunConfig, RunConfigInput } from '../../experiment/config/schema.js';
import { settingsBefore } from '../../experiment/optimizer.js';
import { encodeManifest } from '../../format/manifest.js';
import { sha256 } from '../../store/files.js';
import type { RunFolder } from '../../store/folder.js';
import { thetaDigest } from '../steps.js';

/** Keys that a fork may change: how θ is trained from there on, how far, and what the run is called. */
export const forkKeys = [
  'optimizer', 'learningRate', 'momentum', 'meanSquareDecay', 'epsilon', 'weightDecay', 'clipNorm', 'iterations', 'maxLoss', 'name', 'date', 'tags',
] as const; // prettier-ignore
const changeKeys: readonly string[] = [...forkKeys, 'schedule', 'groups'];

/** A setting of some tensors, such as `fc3.*:delay=0`. Throws UsageError for another form. */
export function groupOf(text: string): NonNullable<RunConfigInput['groups']>[number] {
  const at = text.lastIndexOf(':');
  const match = text.slice(0, at).split(',');
  const settings = text.slice(at + 1).split(',').map((entry) => entry.split('=')); // prettier-ignore
  const isRight = at > 0 && settings.every(([key, value, ...rest]) => key && value && rest.length === 0);
  if (isRight) return { match, ...Object.fromEntries(settings.map(([key, value]) => [key!, numberOrText(value!)])) }; // prettier-ignore
  throw new UsageError({
    given: `group ${JSON.stringify(text)}`,
    expected: 'PATTERNS:SETTING=VALUE, such as fc3.*:delay=0 or fc3.*:learningRateFactor=0.1',
    remedy: 'name tensors by patterns with commas between them, then settings of groups (docs/FORMAT.md)',
  });
}

const numberOrText = (text: string): unknown => {
  if (text === 'true' || text === 'false') return text === 'true';
  return Number.isNaN(Number(text)) ? text : Number(text);
};

/** What changes at a fork. */
export interface ForkChanges {
  /** Keys of a run file. */
  readonly keys: RunConfigInput;
  /** A YAML or JSON file of such keys, `schedule` and `groups` included; null: none. */
  readonly file: string | null;
  /** Patterns of tensors that stay as they are from the fork on. */
  readonly freeze: readonly string[];
  /** Further groups. */
  readonly groups: readonly NonNullable<RunConfigInput['groups']>[number][];
}

/** Reads a file of changed keys. Throws UsageError for a key that a fork cannot change. */
async function changedKeys(file: string | null): Promise<Record<string, unknown>> {
  if (file === null) return {};
  const keys = await readKeys(file, 'file of changes', changeKeys);
  const other = Object.keys(keys).find((key) => !changeKeys.includes(key));
  if (other === undefined) return keys;
  throw new UsageError({
    given: `${other} in file of changes ${file}`,
    expected: `what can change in the middle of a run: ${changeKeys.join(', ')}`,
    remedy: `leave out ${other}, or make a new run`,
  });
}

const groupsSchema = z.array(z.record(z.string(), z.unknown()));

/** Groups of a fork: what is frozen is so from the fork on. */
function fromFork(groups: unknown, at: number): unknown {
  const list = groupsSchema.safeParse(groups);
  if (!list.success) return groups;
  return list.data.map(({ frozen, ...group }) => (frozen === true ? { ...group, frozenFrom: at } : frozen === undefined ? group : { ...group, frozen })); // prettier-ignore
}

/**
 * The configuration of a run that is forked from another at iteration `at` (1 … T − 1, or T to go on): what trained it until there is kept in
 * `forks`, with the digests of its manifest and of θ_at.
 *
 * @throws UsageError where the run cannot be forked there, or nothing changes; StoreError where θ_at is not stored.
 */
export async function forkedConfig(origin: RunFolder, at: number, changes: ForkChanges): Promise<RunConfig> {
  const { manifest } = origin;
  requireForkable(origin, at);
  const original = checkConfig(manifest.config, 'the manifest');
  const fromFile = await changedKeys(changes.file);
  const groups = [
    ...(fromFile['groups'] === undefined ? original.groups : [fromFork(fromFile['groups'], at)].flat()),
    ...changes.groups.map((group) => [fromFork([group], at)].flat()[0]),
    ...(changes.freeze.length > 0 ? [{ match: changes.freeze, frozenFrom: at }] : []),
  ];
  const changed = { ...fromFile, ...changes.keys, groups };
  const before = settingsBefore(original, at);
  const digests = { manifest: sha256(encodeManifest(manifest)), theta: thetaDigest(await origin.theta(at)) };
  const forks = [...original.forks.filter((fork) => fork.at < at), { at, origin: digests, before }];
  const config = checkConfig(
    { ...original, name: null, date: null, tags: null, components: false, keepComponents: 'sums', ...changed, forks },
    (key) => (key in fromFile ? changes.file! : 'the command line'),
  );
  requireChange(original, config, at);
  return config;
} // prettier-ignore

function requireForkable({ manifest, place }: RunFolder, at: number): void {
  const { iterations, files } = manifest.trajectory;
  if (files.length > 0) {
    throw new UsageError({
      given: `${place}, whose trajectory was recorded elsewhere`,
      expected: 'a run that was trained here, whose training can be replayed',
      remedy: 'change the settings where it was trained, and compare the two recordings with lca compare',
    });
  }
  if (at >= 1 && at <= iterations) return;
  throw new UsageError({
    given: `--at ${at} of a run of ${iterations} iterations`,
    expected: `an iteration from 1 to ${iterations}`,
    remedy: 'a run that differs from its first step on is a new one (lca run)',
  });
}

function requireChange(original: RunConfig, config: RunConfig, at: number): void {
  const kept = settingsBefore(original, config.iterations);
  const own = settingsBefore({ ...config, forks: [] }, 0);
  const isLast = original.forks.every((fork) => fork.at < at);
  const isSame =
    isLast && JSON.stringify(kept) === JSON.stringify(own) && config.iterations === original.iterations;
  if (config.measureWeightDecay && JSON.stringify(decays(kept)) !== JSON.stringify(decays(own))) {
    throw new UsageError({
      given: 'another weightDecay from the fork on, in a run whose measured loss has its term',
      expected: 'one loss for the whole run',
      remedy: 'leave weightDecay as it is, or make a new run without measureWeightDecay and fork that',
    });
  }
  if (!isSame && config.iterations > at) return;
  throw new UsageError({
    given: isSame ? `a fork at ${at} that changes nothing` : `${config.iterations} iterations for a fork at ${at}`, // prettier-ignore
    expected: isSame ? 'settings that differ from the run' : `more iterations than ${at}`,
    remedy: 'say what changes there, such as --freeze fc3.*, --momentum 0.5, --iterations 200',
  });
}

const decays = ({ weightDecay, groups }: Pick<RunConfig, 'weightDecay' | 'groups'>): unknown => [
  weightDecay,
  groups.filter((own) => own.weightDecay !== undefined).map((own) => [own.match, own.weightDecay]),
];
