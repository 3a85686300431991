import type { Expression, ExpressionFunction } from '../plan/expression.js';
import { leavesOf } from '../plan/expression.js';
import type { Parameters } from '../plan/parameters.js';
import { floatLiteral } from './text.js';

type Leaf = Exclude<Expression, { kind: 'apply' }>;

interface Code {
  readonly text: string;
  /** True for a number that is the same in all lanes. */
  readonly isScalar: boolean;
}

const infix: Partial<Record<ExpressionFunction, string>> = {
  add: '+',
  subtract: '-',
  multiply: '*',
  divide: '/',
};

const calls: Partial<Record<ExpressionFunction, string>> = {
  maximum: 'v_max',
  squareRoot: 'v_sqrt',
  exponential: 'v_exp_unbounded',
  exponentialLessOne: 'v_expm1',
  logarithm: 'v_log',
  logarithmOfOneMore: 'v_log1p',
  tanh: 'v_tanh',
  errorFunction: 'v_erf',
  bell: 'v_bell',
  normalCumulative: 'v_normal',
  sine: 'v_sin',
  cosine: 'v_cos',
  arctangent: 'v_atan',
  sigmoid: 'v_sigmoid',
  power: 'v_pow',
  largest: 'v_maximum',
  equal: 'v_equal',
  truncate: 'v_trunc',
  floor: 'v_floor',
  ceiling: 'v_ceil',
  round: 'v_round',
  remainder: 'v_remainder',
  ifGreater: 'v_if_greater',
};

function vector({ text, isScalar }: Code): string {
  return isScalar ? `v_set(${text})` : text;
}

function applyCode(fn: ExpressionFunction, args: readonly Code[]): Code {
  const isScalar = args.every((argument) => argument.isScalar);
  const [a, b] = args;
  const operator = infix[fn];
  if (operator) return { text: `(${a!.text} ${operator} ${b!.text})`, isScalar };
  if (fn === 'negate') return { text: `(-${a!.text})`, isScalar };
  return { text: `${calls[fn]!}(${args.map(vector).join(', ')})`, isScalar: false };
}

function keyOf(leaf: Leaf): string {
  switch (leaf.kind) {
    case 'tensor':
      return `tensor ${leaf.tensor.id}`;
    case 'coarse':
      return leaf.tensor.kind === 'mask' ? 'mask' : `coarse ${leaf.per} ${leaf.tensor.id}`;
    case 'table':
      return `${leaf.per} ${leaf.table.id}`;
    case 'number':
    case 'computed':
      return leaf.kind;
  }
}

/**
 * Writes expressions into a kernel. The kernel opens its loops over groups `g` and channels, puts `groupLocals` and
 * `channelLocals` at their start, and calls `value` inside.
 */
export class Fused {
  /** C names by leaf. */
  readonly #names = new Map<string, string>();
  readonly #group: string[] = [];
  readonly #channel: { readonly name: string; readonly type: string; readonly from: string }[] = [];

  constructor(parameters: Parameters, expressions: readonly Expression[]) {
    for (const expression of expressions) {
      for (const leaf of leavesOf(expression)) {
        if (!this.#names.has(keyOf(leaf))) this.#declare(leaf, parameters);
      }
    }
  }

  #declare(leaf: Leaf, parameters: Parameters): void {
    if (leaf.kind === 'table') this.#declareTable(leaf, parameters.readTable(leaf.table));
    else if (leaf.kind === 'tensor') {
      const name = parameters.read(leaf.tensor);
      this.#names.set(keyOf(leaf), `${name}g`);
      this.#group.push(`const v *const ${name}g = ${name} + g * ${leaf.tensor.stride};`);
    } else if (leaf.kind === 'coarse') this.#declareCoarse(leaf, parameters.read(leaf.tensor));
  }

  #declareTable(leaf: Leaf & { kind: 'table' }, table: string): void {
    if (leaf.per !== 'channel') this.#names.set(keyOf(leaf), table);
    else {
      this.#names.set(keyOf(leaf), `${table}c`);
      this.#channel.push({ name: `${table}c`, type: 'float', from: table });
    }
  }

  #declareCoarse(leaf: Leaf & { kind: 'coarse' }, tensor: string): void {
    const stride = leaf.tensor.kind === 'mask' ? 1 : leaf.tensor.stride;
    const name = `${tensor}${leaf.per === 'all' ? 'e' : 'c'}`;
    this.#names.set(keyOf(leaf), name);
    if (leaf.per === 'all') this.#group.push(`const v ${name} = ${tensor}[g * ${stride}];`);
    else {
      this.#group.push(`const v *const ${tensor}k = ${tensor} + g * ${stride};`);
      this.#channel.push({ name, type: 'v', from: `${tensor}k` });
    }
  }

  /** Pointers and numbers of group `g`. */
  get groupLocals(): string {
    return this.#group.join('\n');
  }

  /** Numbers of the channel that the C expression `channel` names. */
  channelLocals(channel: string): string {
    return this.#channel
      .map(({ name, type, from }) => `const ${type} ${name} = ${from}[${channel}];`)
      .join('\n');
  }

  /**
   * C code of an expression's value at an element of group `g`. `computed` is the vector that stands for what the kernel
   * itself computes.
   */
  value(expression: Expression, element: string, computed = ''): string {
    return vector(this.#code(expression, element, computed));
  }

  #code(expression: Expression, element: string, computed: string): Code {
    if (expression.kind === 'apply') {
      return applyCode(
        expression.fn,
        expression.args.map((argument) => this.#code(argument, element, computed)),
      );
    }
    return this.#leafCode(expression, element, computed);
  }

  #leafCode(leaf: Leaf, element: string, computed: string): Code {
    if (leaf.kind === 'number') return { text: floatLiteral(leaf.value), isScalar: true };
    if (leaf.kind === 'computed') return { text: computed, isScalar: false };
    const name = this.#names.get(keyOf(leaf))!;
    if (leaf.kind === 'tensor') return { text: `${name}[${element}]`, isScalar: false };
    if (leaf.kind === 'coarse') return { text: name, isScalar: false };
    if (leaf.per === 'channel') return { text: name, isScalar: true };
    return { text: leaf.per === 'all' ? `${name}[0]` : `${name}[${element}]`, isScalar: true };
  }
}
