import { characters, contextLength } from '../data/moby-dick.js';
import { GraphBuilder } from '../graph/builder.js';
import type { Initializer, Value } from '../graph/types.js';
import type { BuildOptions, Model } from './types.js';

const [width, heads, blocks] = [64, 4, 4] as const;

/** Normal with a standard deviation, cut off at two of them. */
const normal = (deviation: number): Initializer => ({ kind: 'heNormal', fanIn: 2 / deviation ** 2 });

/** Deviation of weights, and of those that add to the residual stream twice in each block (Radford et al. 2019). */
const [usual, residual] = [0.02, 0.02 / Math.sqrt(2 * blocks)];

/** So small a score that softmax makes it 0, and finite in float32. */
const masked = -1e9;

/** Adds the layers of a decoder to a graph, each on [N, T, width]. */
class Decoder {
  constructor(readonly builder: GraphBuilder) {}

  /** Tokens [N, T] to vectors, with those of their positions added. */
  embed(tokens: Value): Value {
    const table = this.#parameter('embedding', 'weight', [characters.length, width], normal(usual));
    const places = this.#parameter('position', 'weight', [contextLength, width], normal(usual));
    return this.#apply('Add', this.#apply('Gather', table, tokens), places);
  }

  /** Attention to earlier positions and a layer of each by itself, both added to x (GPT-2: norms come first). */
  block(x: Value, name: string): Value {
    const attended = this.#apply('Add', x, this.#attention(this.norm(x, `${name}.norm1`), name));
    const h = this.linear(this.norm(attended, `${name}.norm2`), `${name}.up`, 4 * width);
    const active = this.builder.apply('Gelu', [h], { approximate: 'tanh' });
    return this.#apply('Add', attended, this.linear(active, `${name}.down`, width, residual));
  }

  norm(x: Value, name: string): Value {
    const scale = this.#parameter(name, 'scale', [width], { kind: 'ones' });
    const bias = this.#parameter(name, 'bias', [width], { kind: 'zeros' });
    return this.builder.apply('LayerNormalization', [x, scale, bias], { axis: -1, epsilon: 1e-5 }, name);
  }

  /** x · weight + bias, weight [in, out]. */
  linear(x: Value, name: string, outputs: number, deviation = usual): Value {
    const weight = this.#parameter(name, 'weight', [x.shape.at(-1)!, outputs], normal(deviation));
    const bias = this.#parameter(name, 'bias', [outputs], { kind: 'zeros' });
    return this.#apply('Add', this.#apply('MatMul', x, weight), bias);
  }

  /** Of each head, neurons [16 h, 16 h + 16) of query, key and value; what it finds is neurons of the same numbers that `output` reads. */
  #attention(x: Value, name: string): Value {
    const { builder } = this;
    const [query, key, value] = ['query', 'key', 'value'].map((part) =>
      this.#byHead(this.linear(x, `${name}.${part}`, width)),
    );
    const turned = builder.apply('Transpose', [key!], { perm: [0, 1, 3, 2] });
    const scores = this.#apply(
      'Mul',
      this.#apply('MatMul', query!, turned),
      builder.scalar(1 / Math.sqrt(width / heads)),
    );
    const weights = builder.apply('Softmax', [this.#apply('Add', scores, this.#causal())], { axis: -1 });
    const found = builder.apply('Transpose', [this.#apply('MatMul', weights, value!)], {
      perm: [0, 2, 1, 3],
    });
    const joined = builder.apply('Reshape', [found], { shape: [...x.shape] });
    return this.linear(joined, `${name}.output`, width, residual);
  }

  /** [N, T, width] to [N, heads, T, width / heads]. */
  #byHead(x: Value): Value {
    const split = this.builder.apply('Reshape', [x], {
      shape: [x.shape[0]!, x.shape[1]!, heads, width / heads],
    });
    return this.builder.apply('Transpose', [split], { perm: [0, 2, 1, 3] });
  }

  /** 0 for positions that one may look at, which are its own and earlier ones [T, T]. */
  #causal(): Value {
    const at = Array.from({ length: contextLength }, (_, t) => t);
    const scores = at.flatMap((from) => at.map((to) => (to <= from ? 0 : masked)));
    return this.builder.constant(scores, [contextLength, contextLength], 'float32', 'causal');
  }

  #parameter(layer: string, kind: string, shape: readonly number[], initializer: Initializer): Value {
    const neuronAxis = shape.length === 2 ? 1 : 0;
    return this.builder.parameter(`${layer}.${kind}`, shape, { layer, neuronAxis, initializer });
  }

  #apply(op: string, ...inputs: readonly Value[]): Value {
    return this.builder.apply(op, inputs);
  }
}

function build({ examples, transform }: BuildOptions) {
  const builder = new GraphBuilder('tiny-gpt');
  const decoder = new Decoder(builder);
  const stored = builder.input('x', transform.dtype, [examples, contextLength]);
  const tokens = transform.dtype === 'int32' ? stored : builder.apply('Cast', [stored], { to: 'int32' });
  let x = decoder.embed(tokens);
  for (let block = 1; block <= blocks; block++) x = decoder.block(x, `block${block}`);
  return builder.build([decoder.linear(decoder.norm(x, 'norm'), 'logits', characters.length)]);
}

/** A character-level decoder in the manner of GPT-2, four blocks of width 64 with four heads: 213,836 parameters. */
export const tinyGpt: Model = {
  name: 'tiny-gpt',
  inputShape: [contextLength],
  outputs: contextLength * characters.length,
  outputShape: [contextLength, characters.length],
  readsWholeNumbers: true,
  build,
};
