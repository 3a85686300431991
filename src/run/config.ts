import { z } from 'zod';

export const optimizers = ['sgd', 'momentum', 'nesterov', 'adam', 'rmsprop'] as const;
export const rules = [
  'left', 'right', 'midpoint', 'trapezoid', 'simpson', 'boole', 'gauss2', 'gauss3', 'adaptive',
] as const; // prettier-ignore
export const engineNames = [
  'auto',
  'reference',
  'onnxruntime',
  'onnxruntime-webgpu',
  'onnxruntime-cuda',
] as const;
export const keeps = ['parameters', 'neurons', 'layers'] as const;

/** `none` in a run file or flag means null. */
const orNone = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === 'none' ? null : value), schema.nullable());

const count = z
  .int()
  .min(1)
  .max(2 ** 31 - 1);

/**
 * Everything that defines a run, with defaults. A run file (YAML or JSON) holds these keys; each is also a flag
 * (`learningRate` is `--learning-rate`). The resolved form is stored in the manifest.
 */
export const runConfigSchema = z.strictObject({
  model: z.string().default('fc').describe('network (lca presets lists them)'),
  data: z.string().default('mnist').describe('data set (lca data list)'),
  subset: orNone(count).default(null).describe('train on this many examples, stratified by class'),
  seed: z.int().min(0).max(2 ** 31 - 1).default(1).describe('key of every random choice'),
  optimizer: z.enum(optimizers).default('momentum').describe('optimiser'),
  learningRate: z.number().gt(0).lte(1000).default(0.05).describe('learning rate'),
  momentum: z.number().min(0).lt(1).default(0.9).describe('momentum (optimizers momentum, nesterov)'),
  beta1: z.number().min(0).lt(1).default(0.9).describe('Adam: decay of the first moment'),
  beta2: z.number().min(0).lt(1).default(0.999).describe('Adam: decay of the second moment'),
  rho: z.number().min(0).lt(1).default(0.9).describe('RMSprop: decay of the squared gradient'),
  epsilon: z.number().gt(0).lte(1).default(1e-8).describe('Adam, RMSprop: added to the root'),
  weightDecay: z.number().min(0).lte(1).default(0).describe('L2 in training; never in the measured loss'),
  batchSize: count.default(250).describe('examples of a mini-batch'),
  iterations: count.default(880).describe('optimiser steps'),
  rule: z.enum(rules).default('simpson').describe('quadrature rule'),
  tolerance: orNone(z.number().gt(0).lte(1e6)).default(0.001).describe('refine while |residual| exceeds this (nats), or none'),
  subintervals: z.int().min(1).max(1024).default(1).describe('subintervals to start with'),
  maxSubintervals: z.int().min(1).max(1024).default(32).describe('refinement stops here'),
  splits: z.array(z.enum(['train', 'validation'])).min(1).default(['train', 'validation']).describe('losses to measure'),
  chunk: orNone(count).default(null).describe('examples evaluated together (default: by network)'),
  lanes: z.int().min(1).max(256).default(8).describe('independent partial sums of an evaluation'),
  keep: z.enum(keeps).default('parameters').describe('finest allocations to store'),
  engine: z.enum(engineNames).default('auto').describe('what computes gradients (lca engines)'),
}); // prettier-ignore

/** A run's definition with all defaults filled in. */
export type RunConfig = z.infer<typeof runConfigSchema>;
/** What a user states: any subset of the keys. */
export type RunConfigInput = z.input<typeof runConfigSchema>;
export type ConfigKey = keyof RunConfig;
export const configKeys = Object.keys(runConfigSchema.shape) as ConfigKey[];
