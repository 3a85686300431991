import * as z from 'zod';
import { arithmetics, engineNames } from '../../engines/registry.js';
import { ruleNames as optimizers } from '../../optim/rules.js';
import { conventions } from '../../optim/types.js';
import { outputKinds } from '../../graph/outputs.js';
import { statisticsKinds } from '../../graph/statistics.js';
import { ruleNames } from '../../quadrature/rules.js';
import { recordedLayouts } from '../../trajectory/types.js';

export const keeps = ['parameters', 'neurons', 'layers'] as const;
const keptOfParts = ['sums', 'parameters'] as const;

export const losses = ['softmaxCrossEntropy', 'sigmoidCrossEntropy', 'squaredError', 'output'] as const;

/**
 * How losses of labels become one: their mean over all labels that count, the mean over examples of each one's mean, or the mean weighted
 * by class weights.
 */
export const reductions = ['tokenMean', 'exampleMean', 'weightedMean'] as const;

/** Label that does not count unless another is given, as in PyTorch. */
export const ignoredByDefault = -100;

/** `none` in a run file or flag means null. */
const orNone = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === 'none' ? null : value), schema.nullable()).default(null);

/** `today` is the day on which the run is made, here; everything else stays as it is. */
function dayOf(value: unknown): unknown {
  if (value !== 'today') return value;
  const now = new Date();
  const twoDigits = (number: number): string => String(number).padStart(2, '0');
  return [now.getFullYear(), now.getMonth() + 1, now.getDate()].map(twoDigits).join('-');
}

/** `5%` is 0.05. */
function percentOf(value: unknown): unknown {
  const match = typeof value === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*%$/.exec(value) : null;
  return match === null ? value : Number(match[1]) / 100;
}

/** Ranges of `positions:0-3,4-15` that commas took apart are entries of their own no longer. */
function wholeRanges(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const entries: unknown[] = [];
  for (const entry of value as readonly unknown[]) {
    const before = entries.at(-1);
    const goes =
      typeof before === 'string' && /(^|:)positions:/.test(before) && /^\d+(-\d*)?$/.test(String(entry));
    if (goes) entries[entries.length - 1] = `${before},${String(entry)}`;
    else entries.push(entry);
  }
  return entries;
}

const count = z
  .int()
  .min(1)
  .max(2 ** 31 - 1);
const sha = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 in hex');
const share = z.number().min(0).lt(1);
/** Patterns over names of tensors. */
const patterns = z.array(z.string().min(1)).min(1);
const positive = z.number().gt(0).max(1e6);

const schedule = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant'), warmUp: z.int().min(0).optional() }),
  z.strictObject({ kind: z.literal('step'), every: count, factor: positive, warmUp: z.int().min(0).optional() }),
  z.strictObject({ kind: z.literal('linear'), iterations: count, floor: z.number().min(0).max(1).optional(), warmUp: z.int().min(0).optional() }),
  z.strictObject({ kind: z.literal('cosine'), iterations: count, floor: z.number().min(0).max(1).optional(), warmUp: z.int().min(0).optional() }),
]); // prettier-ignore

const group = z.strictObject({
  match: z.union([z.string(), z.array(z.string()).min(1)]),
  learningRate: positive.optional(),
  learningRateFactor: positive.optional(),
  momentum: share.optional(),
  delay: z.number().min(0).max(1e6).optional(),
  weightDecay: z.number().min(0).max(1).optional(),
  frozen: z.boolean().optional(),
  frozenFrom: z.int().min(0).optional(),
});

/** What trained a forked run before an iteration, and the run that it shares its beginning with. */
const fork = z.strictObject({
  at: count,
  origin: z.strictObject({ manifest: sha, theta: sha }),
  before: z.strictObject({
    optimizer: z.enum(optimizers),
    learningRate: z.number().gt(0),
    momentum: share.nullable(),
    meanSquareDecay: share.nullable(),
    beta1: share.nullable(),
    beta2: share.nullable(),
    epsilon: z.number().gt(0).nullable(),
    convention: z.enum(conventions).nullable(),
    weightDecay: z.number().min(0),
    clipNorm: positive.nullable(),
    schedule: schedule.nullable(),
    groups: z.array(group),
  }),
});
/** Keys of one of `groups`. */
export const groupKeys: readonly string[] = Object.keys(group.shape);
/** Keys of `schedule`, by its kind. */
export const scheduleKeys: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  schedule.options.map(({ shape }) => [shape.kind.value, Object.keys(shape)]),
);

/**
 * Everything that defines a run, with defaults. A run file (YAML or JSON) holds these keys; each but `schedule`, `groups`, `forks` and
 * `groupings` is also a flag (`learningRate` is `--learning-rate`). The resolved form is stored in the manifest.
 */
export const runConfigSchema = z.strictObject({
  preset: orNone(z.string()).describe('where the other keys come from (lca presets)'),
  model: z.string().default('fc').describe('network, or an ONNX file'),
  data: z.string().default('mnist').describe('data set (lca data list), or your own: .npz, folder, X,Y'),
  validation: orNone(z.int().min(0)).describe('examples drawn for validation; none: as the data set has it'),
  divisor: orNone(positive).describe('divide inputs by this; none: 255 for bytes, else 1'),
  standardise: z.boolean().default(false).describe('give each input channel mean 0 and variance 1 over the training set'),
  loss: z.enum(losses).default('softmaxCrossEntropy').describe('loss; output: the network’s own, its first output'),
  labelSmoothing: share.default(0).describe('share of the label spread over all classes (softmaxCrossEntropy)'),
  classWeights: orNone(z.array(z.number().min(0)).min(1)).describe('weight of each class (softmaxCrossEntropy), such as 1,2,0.5'),
  reduction: z.enum(reductions).default('tokenMean').describe('loss of many labels: the mean over all that count, the mean over examples of each one’s mean, or their sum over the sum of their class weights (PyTorch’s)'),
  process: orNone(z.string().trim().min(1)).describe('command line of a program that computes losses and gradients (docs/OBJECTIVES.md), in place of model and data'),
  processTimeout: z.number().gt(0).max(1e6).default(600).describe('seconds to wait for an answer of that program'),
  trajectory: orNone(z.string()).describe('measure this recorded trajectory (file or folder); none: train'),
  follow: z.boolean().default(false).describe('measure a trajectory while the recorder for PyTorch still writes it'),
  checkpointPattern: orNone(z.string().min(1)).describe('which number of a checkpoint’s name is the iteration: a regular expression with it as group, such as step=(\\d+)'),
  names: orNone(z.array(z.string().min(1)).min(1)).describe('recorded names: recorded=model, … (* for a part), or for θ without names its parameters in order; a list or a file, one a line'),
  layout: orNone(z.enum(recordedLayouts)).describe('axes of recorded kernels; none: as shapes, names and values show'),
  frozen: orNone(z.array(z.string().min(1)).min(1)).describe('parameters that are not recorded and stay as in the model file: names with *'),
  rest: orNone(z.enum(['frozen'])).describe('frozen: whatever is not recorded stays as in the model file'),
  ignore: orNone(z.array(z.string().min(1)).min(1)).describe('recorded tensors that are passed over: names with *'),
  outputs: orNone(z.enum(outputKinds)).describe('what the network’s outputs are; none: probabilities where it ends in the loss’s activation'),
  ignoreLabel: z.preprocess((value) => (value === 'none' ? null : value), z.int().nullable()).default(ignoredByDefault).describe('label of examples that do not count, or none'),
  subset: orNone(count).describe('train on this many examples, stratified by class; validation shrinks in proportion'),
  seed: z.int().min(0).max(2 ** 31 - 1).default(1).describe('key of every random choice'),
  init: orNone(z.string()).describe('start from θ_0 of this run folder, or from this safetensors file; none: by the seed'),
  optimizer: z.enum(optimizers).default('sgd').describe('optimiser'),
  learningRate: z.number().gt(0).lte(1000).default(0.05).describe('learning rate'),
  momentum: orNone(share).describe('momentum; for Adam beta 1; none: the optimiser’s usual value'),
  meanSquareDecay: orNone(share).describe('Adam’s beta 2, RMSprop’s rho; none: the usual value'),
  beta1: orNone(share).describe('another name of momentum, for Adam, AdamW and Lion'),
  beta2: orNone(share).describe('another name of meanSquareDecay, for Adam and AdamW; of Lion, the share of the mean kept'),
  epsilon: orNone(z.number().gt(0).lte(1)).describe('Adam, AdamW, RMSprop: added to the root; none: the usual value'),
  convention: orNone(z.enum(conventions)).describe('whose form where frameworks differ: pytorch adds Adam’s epsilon after correcting and keeps learning rates out of velocities, keras neither; none: keras for sgd, nesterov, adam and rmsprop, else pytorch'),
  weightDecay: z.number().min(0).lte(1).default(0).describe('L2 in training, in the measured loss only with measureWeightDecay; of adamw, lion and muon decoupled, a share of θ each step'),
  measureWeightDecay: z.boolean().default(false).describe('the measured loss includes the L2 term that training uses'),
  clipNorm: orNone(positive).describe('scale gradients of a larger norm down to it'),
  schedule: orNone(schedule).describe('learning-rate schedule (run file only)'),
  groups: z.array(group).default([]).describe('settings of some tensors, by pattern (run file only)'),
  forks: z.array(fork).default([]).describe('settings before an iteration, of a run that another one was forked into (written by lca fork)'),
  ema: orNone(share).describe('measure the exponential moving average of the weights, of which each step keeps this share, such as 0.999 (PyTorch’s swa_utils); none: the weights that are trained'),
  maxLoss: z.preprocess((value) => (value === 'none' ? null : value), z.number().gt(0).nullable()).default(1e4).describe('stop as diverged when a mini-batch’s loss exceeds this, or none'),
  batchSize: count.default(250).describe('examples of a mini-batch'),
  accumulate: count.default(1).describe('mini-batches of a step, whose gradients are added up before it'),
  iterations: z.int().min(1).max(2 ** 24).default(880).describe('optimiser steps'),
  rule: z.enum(ruleNames).default('simpson').describe('quadrature rule'),
  tolerance: z.preprocess((value) => (value === 'none' ? null : value), positive.nullable()).default(0.001).describe('refine while |residual| exceeds this (in the loss’s unit), or none'),
  subintervals: orNone(z.int().min(1).max(1024)).describe('equal parts of a step to start with (Simpson: start, middle, end is 2); none: the rule’s fewest'),
  maxSubintervals: z.int().min(1).max(1024).default(32).describe('refinement stops here'),
  sample: orNone(z.union([z.literal('auto'), count])).describe('measure so many training examples, drawn by class, and as large a share of other sets, with error bars; auto: as many as error needs; none: all'),
  error: z.preprocess(percentOf, z.number().gt(0).lt(1)).default(0.05).describe('half-width of the 95 % interval of a layer’s sum that sample auto aims at, relative to the size of all layers’ sums, such as 5%'),
  certify: orNone(z.preprocess(percentOf, z.number().min(0).lt(1))).describe('estimate the error of each entry, state which signs are certain, and refine until this share is; 0: only state it'),
  measure: orNone(z.array(z.string().regex(/^[A-Za-z0-9][\w.-]*(=.+)?$/, 'expected NAME or NAME=FILE')).min(1)
    .refine((entries) => new Set(entries.map((entry) => entry.replace(/=.*/, ''))).size === entries.length, 'expected each set once')).describe('sets of the data whose losses are measured, and your own files by a name, such as train,test,mine=other.npz; none: train, and validation where there is one'),
  statistics: z.array(z.enum(statisticsKinds)).min(1).refine((kinds) => new Set(kinds).size === kinds.length, 'expected each kind once').default(['chunk']).describe('whose statistics batch normalisation uses where losses are measured: those of each chunk, or running ones, kept while training; chunk,running measures both side by side'),
  statisticsDecay: share.default(0.99).describe('what running statistics keep in each step; the mini-batch’s have the rest (PyTorch’s momentum 0.1 is 0.9 here)'),
  parts: orNone(z.preprocess(wholeRanges, z.array(z.string().min(1)).min(1))).describe('parts of objectives whose losses and allocations are kept apart: class; tokens, or tokens:FILE with a group for each class of labels; positions:0-3,4-15,16-; or FILE (.npy, .csv) with a group for each example of train, or for each of its labels, NAME:FILE for another objective'),
  keepParts: z.enum(keptOfParts).default('sums').describe('finest allocations of parts to store: sums by layer, neuron and tensor, or parameters'),
  components: z.boolean().default(false).describe('split updates into gradient, momentum by age, weight decay, clipping and rounding, whose allocations are kept apart; of a recorded trajectory by its arrays update/NAME'),
  keepComponents: z.enum(keptOfParts).default('sums').describe('finest allocations of components to store: sums by layer, neuron and all other groupings, or parameters'),
  basis: orNone(z.string().min(1)).describe('divide the total by the directions of a basis, too: a file with one array [R, K] of orthonormal rows, or pca:N for the principal components of the trajectory'),
  groupings: z.record(z.string().regex(/^[A-Za-z][\w-]*$/, 'expected letters, digits, _ and -'), z.union([patterns, z.record(z.string().min(1), patterns)])).default({}).describe('your own groupings of parameters for sums and counts, each a list of patterns, or CELL: list of patterns (run file only)'),
  chunk: orNone(count).describe('examples evaluated together; none: by network'),
  lanes: z.int().min(1).max(256).default(8).describe('independent partial sums of an evaluation'),
  keep: z.enum(keeps).default('parameters').describe('finest allocations to store'),
  engine: z.enum(['auto', ...engineNames]).default('auto').describe('what computes gradients (lca engines)'),
  arithmetic: z.enum(arithmetics).default('auto').describe('how a dense layer multiplies bytes: float32; split, into products of bfloat16 on a matrix unit, where the processor has one; auto: the faster one here'),
  name: orNone(z.string().trim().min(1).max(200)).describe('what the run is called in its report; none: its preset, or network and data'),
  date: orNone(z.preprocess(dayOf, z.iso.date('expected a day such as 2026-11-25, or today'))).describe('day of the run, such as 2026-11-25, or today; none: not stated'),
  tags: orNone(z.array(z.string().trim().min(1).max(60)).min(1)).describe('words that the report shows beside the name'),
}); // prettier-ignore

/** A run's definition with all defaults filled in. */
export type RunConfig = z.infer<typeof runConfigSchema>;
/** What a user states: any subset of the keys. */
export type RunConfigInput = z.input<typeof runConfigSchema>;
export type ConfigKey = keyof RunConfig;
export const configKeys = Object.keys(runConfigSchema.shape) as ConfigKey[];
/** Keys that say how θ is trained. */
export const trainingKeys = [
  'optimizer', 'learningRate', 'momentum', 'meanSquareDecay', 'beta1', 'beta2', 'epsilon', 'convention', 'weightDecay', 'clipNorm', 'schedule', 'groups', 'forks', 'init',
  'batchSize', 'accumulate', 'maxLoss', 'ema',
] as const satisfies readonly ConfigKey[]; // prettier-ignore

/** Keys without a flag: the preset is an argument, the others are objects. */
export const fileOnlyKeys: readonly ConfigKey[] = ['preset', 'schedule', 'groups', 'forks', 'groupings'];
