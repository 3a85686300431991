import { GraphBuilder } from '../graph/builder.js';
import type { Graph, Initializer, Value } from '../graph/types.js';
import { Layers } from './layers.js';
import type { BuildOptions, Model } from './types.js';

/** Extents of a network; a head has width / heads numbers. */
export interface TransformerSize {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly tokens: number;
  /** Kinds of tokens. */
  readonly kinds: number;
}

/** What benchmarks take. */
const usual: TransformerSize = { width: 64, layers: 4, heads: 4, tokens: 64, kinds: 64 };
const ones: Initializer = { kind: 'ones' };
const zeros: Initializer = { kind: 'zeros' };
/** Base of the angles of rotary positions (Su et al. 2021). */
const rotaryBase = 10_000;

/** What tells the kinds of transformer apart. */
interface Kind {
  readonly size: TransformerSize;
  readonly isCausal: boolean;
  /** RMS normalisation, rotary positions and gated layers, all without biases, as in Llama; else GPT-2's. */
  readonly isModern: boolean;
}

/** Adds the layers of a transformer to a graph, on values [N, T, width]. */
class Transformer {
  constructor(
    readonly builder: GraphBuilder,
    readonly kind: Kind,
  ) {}

  apply(op: string, inputs: readonly Value[], attributes = {}): Value {
    return this.builder.apply(op, inputs, attributes);
  }

  parameter(name: string, shape: readonly number[], initializer: Initializer): Value {
    const layer = name.slice(0, name.lastIndexOf('.'));
    return this.builder.parameter(name, shape, { layer, neuronAxis: 0, initializer });
  }

  linear(x: Value, name: string, outputs: number, hasBias = !this.kind.isModern): Value {
    const inputs = x.shape.at(-1)!;
    const weight = this.parameter(`${name}.weight`, [outputs, inputs], { kind: 'glorotUniform', fanIn: inputs, fanOut: outputs }); // prettier-ignore
    const y = this.apply('MatMul', [x, this.apply('Transpose', [weight], { perm: [1, 0] })]);
    return hasBias ? this.apply('Add', [y, this.parameter(`${name}.bias`, [outputs], zeros)]) : y;
  }

  norm(x: Value, name: string): Value {
    const { width } = this.kind.size;
    const scale = this.parameter(`${name}.weight`, [width], ones);
    if (!this.kind.isModern) {
      const bias = this.parameter(`${name}.bias`, [width], zeros);
      return this.apply('LayerNormalization', [x, scale, bias], { axis: -1, epsilon: 1e-5 });
    }
    const mean = this.apply('ReduceMean', [this.apply('Mul', [x, x])], { axes: [2], keepdims: 1 });
    const size = this.apply('Sqrt', [this.apply('Add', [mean, this.builder.scalar(1e-5)])]);
    return this.apply('Mul', [this.apply('Div', [x, size]), scale]);
  }

  /** [N, T, width] to [N, heads, T, width / heads]. */
  #byHead(x: Value): Value {
    const { width, heads } = this.kind.size;
    const split = this.apply('Reshape', [x], { shape: [x.shape[0]!, x.shape[1]!, heads, width / heads] });
    return this.apply('Transpose', [split], { perm: [0, 2, 1, 3] });
  }

  /** Each pair of an element of the first half and its partner of the second, turned by an angle that grows with the position. */
  #turn(x: Value): Value {
    const { width, heads, tokens } = this.kind.size;
    const size = width / heads;
    const angles = Array.from({ length: tokens }, (_, t) =>
      Array.from({ length: size }, (__, k) => t * rotaryBase ** (-(k % (size / 2)) / (size / 2))),
    ).flat();
    const table = (f: (angle: number) => number): Value =>
      this.builder.constant(angles.map(f), [tokens, size]);
    const [first, second] = this.builder.add('Split', [x], { axis: 3, split: [size / 2, size / 2] });
    const turned = this.apply('Concat', [this.apply('Neg', [second!]), first!], { axis: 3 });
    return this.apply('Add', [this.apply('Mul', [x, table(Math.cos)]), this.apply('Mul', [turned, table(Math.sin)])]); // prettier-ignore
  }

  #attention(x: Value, name: string): Value {
    const { width, heads } = this.kind.size;
    const joined = this.linear(x, `${name}.qkv`, 3 * width);
    const parts = this.builder.add('Split', [joined], { axis: 2, split: [width, width, width] });
    const [q, k, v] = parts.map((part) => this.#byHead(part)) as [Value, Value, Value];
    const [query, key] = this.kind.isModern ? [this.#turn(q), this.#turn(k)] : [q, k];
    const products = this.apply('MatMul', [query, this.apply('Transpose', [key], { perm: [0, 1, 3, 2] })]);
    const scores = this.apply('Mul', [products, this.builder.scalar(1 / Math.sqrt(width / heads))]);
    const weights = this.apply('Softmax', [this.kind.isCausal ? this.#masked(scores) : scores], { axis: -1 });
    const found = this.apply('Transpose', [this.apply('MatMul', [weights, v])], { perm: [0, 2, 1, 3] });
    return this.linear(this.apply('Reshape', [found], { shape: [...x.shape] }), `${name}.proj`, width);
  }

  #masked(scores: Value): Value {
    const count = this.kind.size.tokens;
    const isLater = Array.from({ length: count * count }, (_, k) =>
      k % count > Math.floor(k / count) ? 1 : 0,
    );
    const mask = this.builder.constant(isLater, [1, 1, count, count], 'bool');
    return this.apply('Where', [mask, this.builder.scalar(-Infinity), scores]);
  }

  #perceptron(x: Value, name: string): Value {
    const { width } = this.kind.size;
    if (!this.kind.isModern) {
      const hidden = this.apply('Gelu', [this.linear(x, `${name}.up`, 4 * width)], { approximate: 'none' });
      return this.linear(hidden, `${name}.down`, width);
    }
    const hidden = 32 * Math.ceil((8 * width) / 3 / 32);
    const gate = this.linear(x, `${name}.gate`, hidden);
    const active = this.apply('Mul', [gate, this.apply('Sigmoid', [gate])]);
    return this.linear(
      this.apply('Mul', [active, this.linear(x, `${name}.up`, hidden)]),
      `${name}.down`,
      width,
    );
  }

  /** All blocks, and the last normalisation. */
  blocks(x: Value): Value {
    let h = x;
    for (let k = 0; k < this.kind.size.layers; k++) {
      const name = `blocks.${k}`;
      h = this.apply('Add', [h, this.#attention(this.norm(h, `${name}.norm1`), `${name}.attention`)]);
      h = this.apply('Add', [h, this.#perceptron(this.norm(h, `${name}.norm2`), `${name}.mlp`)]);
    }
    return this.norm(h, 'norm');
  }
}

/** A decoder of tokens [N, T] to logits [N, T, V], in the manner of GPT-2, or of Llama where it is modern. */
export function languageModel(name: string, isModern: boolean, size = usual): Model {
  const { width, tokens, kinds } = size;
  return {
    name,
    inputShape: [tokens],
    outputs: tokens * kinds,
    outputShape: [tokens, kinds],
    readsWholeNumbers: true,
    build({ examples, transform }: BuildOptions): Graph {
      const builder = new GraphBuilder(name);
      const network = new Transformer(builder, { size, isCausal: true, isModern });
      const stored = builder.input('x', transform.dtype, [examples, tokens]);
      const x = network.apply('Cast', [stored], { to: 'int64' });
      const table = network.parameter('tokens.weight', [kinds, width], { kind: 'glorotUniform', fanIn: kinds, fanOut: width }); // prettier-ignore
      let h = network.apply('Gather', [table, x], { axis: 0 });
      if (!isModern) {
        const places = network.parameter('positions.weight', [tokens, width], { kind: 'glorotUniform', fanIn: tokens, fanOut: width }); // prettier-ignore
        h = network.apply('Add', [h, places]);
      }
      return builder.build([network.linear(network.blocks(h), 'head', kinds, false)]);
    },
  };
}

/** A decoder in the manner of GPT-2: width 64, 4 layers, 4 heads, 64 tokens of 64 kinds; 212,352 parameters. */
export const gpt = languageModel('gpt', false);

/** The same in the manner of Llama: RMS normalisation, rotary positions, gated layers, no biases; 221,760 parameters. */
export const llama = languageModel('llama', true);

/** A vision transformer on 16 patches of 7 × 7 pixels and a class token. */
export function visionModel(name: string, { width, layers, heads } = usual): Model {
  const count = 17;
  const size = { width, layers, heads, tokens: count, kinds: 0 };
  return {
    name,
    inputShape: [1, 28, 28],
    outputs: 10,
    build: (options) => buildVision(name, size, options),
  };
}

function buildVision(name: string, size: TransformerSize, { examples, transform }: BuildOptions): Graph {
  const { width, tokens: count } = size;
  const builder = new GraphBuilder(name);
  const network = new Transformer(builder, { size, isCausal: false, isModern: false });
  const x = new Layers(builder, {}).input(examples, [1, 28, 28], transform);
  const weight = network.parameter('patches.weight', [width, 1, 7, 7], { kind: 'heNormal', fanIn: 49 });
  const bias = network.parameter('patches.bias', [width], zeros);
  const patches = network.apply('Conv', [x, weight, bias], { strides: [7, 7] });
  const rows = network.apply('Transpose', [network.apply('Reshape', [patches], { shape: [examples, width, count - 1] })], { perm: [0, 2, 1] }); // prettier-ignore
  const token = network.parameter('cls.weight', [1, 1, width], zeros);
  const first = network.apply('Expand', [token], { shape: [examples, 1, width] });
  const places = network.parameter('positions.weight', [1, count, width], { kind: 'glorotUniform', fanIn: count, fanOut: width }); // prettier-ignore
  const h = network.blocks(
    network.apply('Add', [network.apply('Concat', [first, rows], { axis: 1 }), places]),
  );
  const summary = network.apply('Slice', [h], { starts: [0], ends: [1], axes: [1] });
  const flat = network.apply('Reshape', [summary], { shape: [examples, width] });
  return builder.build([network.linear(flat, 'head', 10)]);
}

/** One of the decoders' size; 205,066 parameters. */
export const vit = visionModel('vit');
