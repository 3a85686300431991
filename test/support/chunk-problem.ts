import type { Feeds } from '../../src/engines/types.js';
import { GraphBuilder } from '../../src/graph/builder.js';
import type { Graph, Value } from '../../src/graph/types.js';
import { sizeOf } from '../../src/graph/types.js';
import type { ChunkApplication, ChunkInput } from './operators/lift.js';
import type { Random } from './samples.js';
import { randomFrom, samples } from './samples.js';

/** Applications of operators to one chunk, as one loss graph, so that one compilation tests many. */
export interface ChunkProblem {
  readonly graph: Graph;
  readonly theta: Float64Array;
  readonly feeds: Feeds;
  /** Which part of θ belongs to which application. */
  readonly parts: readonly {
    readonly application: ChunkApplication;
    readonly from: number;
    readonly to: number;
  }[];
}

type Numbers = Float32Array | Int32Array | Uint8Array | BigInt64Array;

class Draft {
  readonly builder = new GraphBuilder('chunk');
  readonly theta: number[] = [];
  readonly feeds: Record<string, Numbers> = {};

  constructor(
    readonly examples: number,
    readonly random: Random,
  ) {}

  feed(name: string, dtype: Value['dtype'], shape: readonly number[], numbers: Numbers): Value {
    this.feeds[name] = numbers;
    return this.builder.input(name, dtype, shape);
  }

  parameter(name: string, shape: readonly number[], numbers: readonly number[]): Value {
    this.theta.push(...numbers);
    const options = { layer: 'case', neuronAxis: null, initializer: { kind: 'zeros' } } as const;
    return this.builder.parameter(name, shape, options);
  }

  /**
   * Numbers that vary by example: data + factor · p with p = 0 [1, …]. The gradient of p is the sum over examples of
   * factor times the operator's gradient; random factors let no error hide.
   */
  examplesOf(name: string, shape: readonly number[], numbers: readonly number[]): Value {
    const own = [1, ...shape.slice(1)];
    const factors = samples('any', sizeOf(shape), 0, this.random);
    const data = this.feed(name, 'float32', shape, Float32Array.from(numbers));
    const factor = this.feed(`${name}.factor`, 'float32', shape, Float32Array.from(factors));
    const p = this.parameter(`${name}.p`, own, new Array<number>(sizeOf(own)).fill(0));
    return this.builder.apply('Add', [data, this.builder.apply('Mul', [factor, p])]);
  }

  /** Σ y · weights, with a Cast before it where y is not float32. */
  weightedSum(name: string, y: Value): Value {
    const { builder } = this;
    const numbers = y.dtype === 'float32' ? y : builder.apply('Cast', [y], { to: 'float32' });
    const drawn = samples('any', sizeOf(y.shape), 0, this.random);
    const weights =
      y.shape[0] === this.examples
        ? this.feed(name, 'float32', y.shape, Float32Array.from(drawn))
        : builder.constant(drawn, y.shape);
    const product = builder.apply('Mul', [numbers, weights]);
    return y.shape.length === 0 ? product : builder.apply('ReduceSum', [product], { keepdims: 0 });
  }
}

function integers(draft: Draft, name: string, { spec }: ChunkInput): Value {
  if (!('dtype' in spec)) throw new TypeError(`${name} has no integers`);
  const from = spec.from ?? 0;
  const drawn = Array.from({ length: sizeOf(spec.shape) }, () => {
    return from + Math.floor(draft.random() * (spec.below - from));
  });
  if (spec.dtype === 'int64') {
    return draft.feed(name, spec.dtype, spec.shape, BigInt64Array.from(drawn, BigInt));
  }
  const numbers = spec.dtype === 'bool' ? Uint8Array.from(drawn) : Int32Array.from(drawn);
  return draft.feed(name, spec.dtype, spec.shape, numbers);
}

function addInput(draft: Draft, name: string, input: ChunkInput | null, index: number): Value | null {
  if (input === null) return null;
  const { spec, hasExamples } = input;
  if (!('domain' in spec)) return integers(draft, name, input);
  const numbers = samples(spec.domain, sizeOf(spec.shape), index, draft.random);
  if (spec.constant) return draft.builder.constant(numbers, spec.shape);
  return hasExamples
    ? draft.examplesOf(name, spec.shape, numbers)
    : draft.parameter(name, spec.shape, numbers);
}

function lossOf(draft: Draft, { op, inputs, attributes, outputs }: ChunkApplication, name: string): Value {
  const values = inputs.map((input, index) => addInput(draft, `${name}.${index}`, input, index));
  const results = draft.builder.add(op, values, attributes).slice(0, outputs);
  const terms = results.map((y, index) => draft.weightedSum(`${name}.weights${index}`, y));
  return terms.reduce((sum, term) => draft.builder.apply('Add', [sum, term]));
}

/** The loss is the sum over all applications of their weighted outputs. */
export function chunkProblem(
  applications: readonly ChunkApplication[],
  examples: number,
  seed: number,
): ChunkProblem {
  const draft = new Draft(examples, randomFrom(seed));
  // The first input holds examples whatever the applications take.
  const anchor = draft.examplesOf('anchor', [examples, 2], samples('any', 2 * examples, 0, draft.random));
  const terms = [draft.weightedSum('anchor.weights', anchor)];
  const parts = applications.map((application, k) => {
    const from = draft.theta.length;
    terms.push(lossOf(draft, application, `case${k}`));
    return { application, from, to: draft.theta.length };
  });
  const loss = terms.reduce((sum, term) => draft.builder.apply('Add', [sum, term]));
  return {
    graph: draft.builder.build([loss]),
    theta: Float64Array.from(draft.theta),
    feeds: draft.feeds,
    parts,
  };
}
