import { GraphBuilder } from '../../src/graph/builder.js';
import type { Graph, Value } from '../../src/graph/types.js';

/** Extents of a case: rows of each example, and the numbers of a row. */
export interface NormExtents {
  readonly examples: number;
  readonly tokens: number;
  readonly width: number;
}

type Norm = 'layer' | 'rms';

/** Sums and normalisations of values [N, T, width]; the loss is a weighted sum of what comes of them. */
class Network {
  readonly builder = new GraphBuilder('residual-norms');
  readonly x: Value;
  #parts: Value | null = null;

  constructor(
    readonly extents: NormExtents,
    readonly norm: Norm,
  ) {
    this.x = this.#fed('x');
  }

  #fed(name: string): Value {
    const { examples, tokens, width } = this.extents;
    return this.builder.input(name, 'float32', [examples, tokens, width]);
  }

  parameter(name: string, shape: readonly number[]): Value {
    return this.builder.parameter(name, shape, {
      layer: name,
      neuronAxis: null,
      initializer: { kind: 'ones' },
    });
  }

  apply(op: string, ...inputs: Value[]): Value {
    return this.builder.apply(op, inputs);
  }

  layer(x: Value, name: string): Value {
    const { width } = this.extents;
    const product = this.apply('MatMul', x, this.parameter(`${name}.weight`, [width, width]));
    return this.apply('Add', product, this.parameter(`${name}.bias`, [width]));
  }

  normalised(x: Value, name: string): Value {
    const { builder } = this;
    const scale = this.parameter(`${name}.scale`, [this.extents.width]);
    if (this.norm === 'layer') {
      const bias = this.parameter(`${name}.bias`, [this.extents.width]);
      return builder.apply('LayerNormalization', [x, scale, bias], { axis: -1, epsilon: 1e-5 });
    }
    const mean = builder.apply('ReduceMean', [this.apply('Mul', x, x)], { axes: [2], keepdims: 1 });
    const size = this.apply('Sqrt', this.apply('Add', mean, builder.scalar(1e-5)));
    return this.apply('Mul', this.apply('Div', x, size), scale);
  }

  /** Adds Σ y · weights to the loss. */
  count(y: Value, name: string): void {
    const own = this.builder.apply('ReduceSum', [this.apply('Mul', y, this.#fed(name))], { keepdims: 0 });
    this.#parts = this.#parts === null ? own : this.apply('Add', this.#parts, own);
  }

  build(): Graph {
    return this.builder.build([this.#parts!]);
  }
}

const cases: Readonly<Record<string, (network: Network) => void>> = {
  'behind a layer and a residual': (network) => {
    const sum = network.apply('Add', network.x, network.layer(network.x, 'layer'));
    network.count(network.normalised(sum, 'norm'), 'w');
  },
  'behind a layer alone': (network) => {
    network.count(network.normalised(network.layer(network.x, 'layer'), 'norm'), 'w');
  },
  'of a sum without a layer': (network) => {
    const { tokens, width } = network.extents;
    const scaled = network.apply('Mul', network.x, network.parameter('factor', [width]));
    const sum = network.apply('Add', scaled, network.parameter('places', [tokens, width]));
    network.count(network.normalised(sum, 'norm'), 'w');
  },
  'of a sum that two of them want': (network) => {
    const sum = network.apply('Add', network.x, network.layer(network.x, 'layer'));
    network.count(network.normalised(sum, 'first'), 'w');
    network.count(network.normalised(sum, 'second'), 'v');
  },
  'of a sum that is counted itself': (network) => {
    const sum = network.apply('Add', network.x, network.layer(network.x, 'layer'));
    network.count(sum, 'v');
    network.count(network.normalised(sum, 'norm'), 'w');
  },
  'of two blocks': (network) => {
    let h = network.x;
    for (const name of ['first', 'second']) {
      h = network.apply('Add', h, network.layer(network.normalised(h, `${name}.norm`), name));
    }
    network.count(network.normalised(h, 'norm'), 'w');
  },
};

/** Which sums are normalised. */
export const residualNorms = Object.keys(cases);

/** The loss graph of a case, of layer or RMS normalisation. */
export function residualNorm(name: string, norm: Norm, extents: NormExtents): Graph {
  const network = new Network(extents, norm);
  cases[name]!(network);
  return network.build();
}
