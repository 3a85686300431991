import { UsageError } from '../errors.js';
import { requireNumber } from './settings.js';
import type { OptimizedTensor } from './types.js';

/** Settings of the tensors whose names match; what is left out stays as in the optimiser, or as an earlier group set it. */
export interface GroupSettings {
  /** Patterns over whole tensor names: `*` is any text, `?` any one character. `fc1.*`, or `['*.bias', 'bn?.scale']`. */
  readonly match: string | readonly string[];
  readonly learningRate?: number;
  /** Multiplies the learning rate that the tensors have otherwise, such as 0.1 for ten times smaller steps. */
  readonly learningRateFactor?: number;
  /** Momentum (Adam: β₁) in [0, 1). */
  readonly momentum?: number;
  /** Instead of `momentum`: mean age of the gradients in the velocity, in steps; momentum delay / (delay + 1), Section 4. */
  readonly delay?: number;
  readonly weightDecay?: number;
  /** True: the tensors keep their starting values. False: undoes an earlier group. */
  readonly frozen?: boolean;
  /** First iteration, numbered from 0, whose step leaves the tensors as they are. */
  readonly frozenFrom?: number;
}

/** What groups settle for one tensor. */
export interface TensorSettings {
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  /** Iteration from which the tensor is left as it is; Infinity: never. */
  readonly frozenFrom: number;
}

/** The regular expression of a pattern of `*` and `?`. */
export function patternOf(glob: string): RegExp {
  const escaped = glob.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replace(/\*+/g, '.*').replace(/\?/g, '.')}$`, 's');
}

function patternsOf({ match }: GroupSettings): RegExp[] {
  return (typeof match === 'string' ? [match] : match).map(patternOf);
}

/** Throws UsageError where a number is out of range, both momentum and delay are given, or a pattern matches no tensor. */
export function checkGroups(groups: readonly GroupSettings[], tensors: readonly OptimizedTensor[]): void {
  for (const group of groups) {
    const name = `groups[${[group.match].flat().join(', ')}]`;
    if (group.learningRate !== undefined)
      requireNumber(`${name}.learningRate`, group.learningRate, { above: 0 });
    if (group.learningRateFactor !== undefined)
      requireNumber(`${name}.learningRateFactor`, group.learningRateFactor, { above: 0 });
    if (group.momentum !== undefined) requireNumber(`${name}.momentum`, group.momentum, { min: 0, below: 1 });
    if (group.delay !== undefined) requireNumber(`${name}.delay`, group.delay, { min: 0 });
    if (group.weightDecay !== undefined) requireNumber(`${name}.weightDecay`, group.weightDecay, { min: 0 });
    if (group.frozenFrom !== undefined)
      requireNumber(`${name}.frozenFrom`, group.frozenFrom, { min: 0, whole: true });
    checkExclusive(group, name);
    checkMatches(group, tensors);
  }
}

function checkExclusive(group: GroupSettings, name: string): void {
  for (const [one, other] of [
    ['momentum', 'delay'],
    ['learningRate', 'learningRateFactor'],
    ['frozen', 'frozenFrom'],
  ] as const) {
    if (group[one] === undefined || group[other] === undefined) continue;
    throw new UsageError({
      given: `${name} with both ${one} and ${other}`,
      expected: 'one of the two',
      remedy: `leave out ${one} or ${other}`,
    });
  }
}

function checkMatches(group: GroupSettings, tensors: readonly OptimizedTensor[]): void {
  const patterns = [group.match].flat();
  const unmatched = patterns.find((glob) => !tensors.some(({ name }) => patternOf(glob).test(name)));
  if (patterns.length > 0 && unmatched === undefined) return;
  throw new UsageError({
    given: `group pattern ${unmatched ?? '(none)'}, which matches no tensor`,
    expected: `patterns over the names ${tensors.map(({ name }) => name).join(', ')}`,
    remedy: 'correct the pattern; * stands for any text',
  });
}

/** Settings of one tensor: the optimiser's, changed by each group that matches, in order. */
export function resolveGroups(
  base: TensorSettings,
  groups: readonly GroupSettings[],
  tensor: OptimizedTensor,
): TensorSettings {
  return groups
    .filter((group) => patternsOf(group).some((pattern) => pattern.test(tensor.name)))
    .reduce(applyGroup, base);
}

function applyGroup(settings: TensorSettings, group: GroupSettings): TensorSettings {
  const momentum = group.delay === undefined ? group.momentum : group.delay / (group.delay + 1);
  const frozenFrom = group.frozen === undefined ? group.frozenFrom : group.frozen ? 0 : Infinity;
  return {
    learningRate: (group.learningRate ?? settings.learningRate) * (group.learningRateFactor ?? 1),
    momentum: momentum ?? settings.momentum,
    weightDecay: group.weightDecay ?? settings.weightDecay,
    frozenFrom: frozenFrom ?? settings.frozenFrom,
  };
}
