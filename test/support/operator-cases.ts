import fc from 'fast-check';
import type { Feeds } from '../../src/engines/types.js';
import { GraphBuilder } from '../../src/graph/builder.js';
import type { Graph, Value } from '../../src/graph/types.js';
import { sizeOf } from '../../src/graph/types.js';
import { applications } from './operators/index.js';
import type { ApplicationSpec, InputSpec } from './operators/spec.js';
import type { Random } from './samples.js';
import { randomFrom, samples } from './samples.js';

/**
 * One random application of an operator as a loss graph: the sum of its outputs, each element times a fixed random
 * weight. Its floating-point inputs are parameters, so that the gradient of the operator is the gradient of the loss.
 * All numbers are exact in float32 and keep away from points where the operator has no derivative.
 */
export interface OperatorCase {
  readonly graph: Graph;
  readonly theta: Float64Array;
  readonly feeds: Feeds;
}

interface Draft {
  readonly builder: GraphBuilder;
  readonly random: Random;
  readonly theta: number[];
  readonly feeds: Record<string, Int32Array | Uint8Array | BigInt64Array>;
}

function addInput(draft: Draft, spec: InputSpec | null, index: number): Value | null {
  if (spec === null) return null;
  const { builder, random, theta, feeds } = draft;
  const name = `input${index}`;
  if ('domain' in spec) {
    const numbers = samples(spec.domain, sizeOf(spec.shape), index, random);
    if (spec.constant) return builder.constant(numbers, spec.shape);
    theta.push(...numbers);
    return builder.parameter(name, spec.shape, {
      layer: 'case',
      neuronAxis: null,
      initializer: { kind: 'zeros' },
    });
  }
  const from = spec.from ?? 0;
  const drawn = Array.from(
    { length: sizeOf(spec.shape) },
    () => from + Math.floor(random() * (spec.below - from)),
  );
  if (spec.dtype === 'bool') feeds[name] = Uint8Array.from(drawn);
  else if (spec.dtype === 'int32') feeds[name] = Int32Array.from(drawn);
  else feeds[name] = BigInt64Array.from(drawn, BigInt);
  return builder.input(name, spec.dtype, spec.shape);
}

/** Σ y · weights, with a Cast before it where y is not float32. */
function weightedSum(draft: Draft, y: Value): Value {
  const { builder, random } = draft;
  const numbers = y.dtype === 'float32' ? y : builder.apply('Cast', [y], { to: 'float32' });
  const weights = builder.constant(samples('any', sizeOf(y.shape), 0, random), y.shape);
  return builder.apply('ReduceSum', [builder.apply('Mul', [numbers, weights])], { keepdims: 0 });
}

/** Every graph has a parameter, also where the operator takes none. */
function anchor(draft: Draft): Value[] {
  if (draft.theta.length > 0) return [];
  return [weightedSum(draft, addInput(draft, { shape: [2], domain: 'any' }, 99)!)];
}

function build(op: string, spec: ApplicationSpec, seed: number): OperatorCase {
  const builder = new GraphBuilder(op);
  const draft: Draft = { builder, random: randomFrom(seed), theta: [], feeds: {} };
  const inputs = spec.inputs.map((input, index) => addInput(draft, input, index));
  const outputs = builder.add(op, inputs, spec.attributes).slice(0, spec.outputs);
  const terms = [...outputs.map((y) => weightedSum(draft, y)), ...anchor(draft)];
  const loss = terms.reduce((sum, term) => builder.apply('Add', [sum, term]));
  return { graph: builder.build([loss]), theta: Float64Array.from(draft.theta), feeds: draft.feeds };
}

/** Random cases of every operator that a model may contain; the whole gradient operators appear when they are differentiated. */
export const operatorCases: ReadonlyMap<string, fc.Arbitrary<OperatorCase>> = new Map(
  Object.entries(applications).map(([op, specs]) => [
    op,
    fc.tuple(fc.oneof(...specs), fc.nat()).map(([spec, seed]) => build(op, spec, seed)),
  ]),
);
