import { intAttribute } from '../../../../graph/attributes.js';
import type { Node, Shape, Value } from '../../../../graph/types.js';
import { sizeOf } from '../../../../graph/types.js';
import type { Expression, ExpressionFunction } from '../../plan/expression.js';
import { apply, number, unfinishedIn } from '../../plan/expression.js';
import { geometryOf } from '../../plan/geometry.js';
import { activations, valueAndSlope } from '../activations.js';
import { addSums } from '../../kernels/table.js';
import { reducedSums } from '../held.js';
import type { Lowering, OperatorTable } from '../lowering.js';
import { broadcastExamples } from './move.js';
import { castRule, checkWholeNumbers, quotient } from '../whole-numbers.js';
import { isWithoutExamples, lowerWithoutExamples } from './arrays/elementwise.js';

type Rule = (node: Node, args: readonly Expression[]) => Expression;

/** An element-wise operator. */
interface Elementwise {
  readonly rule: Rule;
  /** The same on numbers that are known now, where constants may be its operands. */
  readonly fold?: (...args: number[]) => number;
  /** When zeros in the operands' unused lanes give zeros in the result's: with all of them, or with any. */
  readonly zeroWith: 'all' | 'any' | 'first' | 'never';
}

const binary =
  (fn: ExpressionFunction): Rule =>
  (_, [a, b]) =>
    apply(fn, a!, b!);

const binaryOf =
  (fn: ExpressionFunction) =>
  (a: Expression, b: Expression): Expression =>
    apply(fn, a, b);

const unary =
  (fn: ExpressionFunction): Rule =>
  (_, [x]) =>
    apply(fn, x!);

const absolute = (x: Expression): Expression => apply('maximum', apply('negate', x), x);

/** 1 for what is not 0, as a bool is held. */
const truth = (x: Expression): Expression => apply('ifGreater', x, number(0), number(1), number(0));

const sign: Rule = (_, [x]) => {
  const below = apply('ifGreater', number(0), x!, number(-1), x!);
  return apply('ifGreater', x!, number(0), number(1), below);
};

const power: Rule = (_, [a, b]) => {
  if (b!.kind === 'number' && b!.value === 2) return apply('multiply', a!, a!);
  return apply('power', a!, b!);
};

/** The remainder has the dividend's sign; without `fmod` it gets the divisor's. */
const modulo: Rule = (node, [a, b]) => {
  const rest = apply('remainder', a!, b!);
  if (intAttribute(node, 'fmod', 0) === 1) return rest;
  return apply('ifGreater', number(0), apply('multiply', rest, b!), apply('add', rest, b!), rest);
};

const smallest: Rule = (_, args) =>
  apply('negate', args.map((x) => apply('negate', x)).reduce(binaryOf('largest')));

const table: Readonly<Record<string, Elementwise>> = {
  Add: { rule: binary('add'), fold: (a, b) => a + b, zeroWith: 'all' },
  Sub: { rule: binary('subtract'), fold: (a, b) => a - b, zeroWith: 'all' },
  Mul: { rule: binary('multiply'), fold: (a, b) => a * b, zeroWith: 'any' },
  Div: { rule: quotient, fold: (a, b) => a / b, zeroWith: 'first' },
  Neg: { rule: (_, [x]) => apply('negate', x!), fold: (a) => -a, zeroWith: 'all' },
  Sqrt: { rule: (_, [x]) => apply('squareRoot', x!), fold: (a) => Math.sqrt(a), zeroWith: 'all' },
  Exp: { rule: (_, [x]) => apply('exponential', x!), fold: (a) => Math.exp(a), zeroWith: 'never' },
  Abs: { rule: (_, [x]) => absolute(x!), fold: Math.abs, zeroWith: 'all' },
  Sign: { rule: sign, fold: Math.sign, zeroWith: 'all' },
  Reciprocal: { rule: (_, [x]) => apply('divide', number(1), x!), fold: (a) => 1 / a, zeroWith: 'never' },
  Pow: { rule: power, fold: (a, b) => a ** b, zeroWith: 'never' },
  Max: { rule: (_, args) => args.reduce(binaryOf('largest')), fold: Math.max, zeroWith: 'all' },
  Min: { rule: smallest, fold: Math.min, zeroWith: 'all' },
  Mod: { rule: modulo, zeroWith: 'never' },
  Log: { rule: unary('logarithm'), fold: Math.log, zeroWith: 'never' },
  Erf: { rule: unary('errorFunction'), zeroWith: 'all' },
  Sin: { rule: unary('sine'), fold: Math.sin, zeroWith: 'all' },
  Cos: { rule: unary('cosine'), fold: Math.cos, zeroWith: 'never' },
  Atan: { rule: unary('arctangent'), fold: Math.atan, zeroWith: 'all' },
  Floor: { rule: unary('floor'), fold: Math.floor, zeroWith: 'all' },
  Ceil: { rule: unary('ceiling'), fold: Math.ceil, zeroWith: 'all' },
  Round: { rule: unary('round'), zeroWith: 'all' },
  Equal: { rule: binary('equal'), zeroWith: 'never' },
  Greater: { rule: (_, [a, b]) => apply('ifGreater', a!, b!, number(1), number(0)), zeroWith: 'never' },
  Less: { rule: (_, [a, b]) => apply('ifGreater', b!, a!, number(1), number(0)), zeroWith: 'never' },
  Not: { rule: (_, [x]) => apply('ifGreater', x!, number(0), number(0), number(1)), zeroWith: 'never' },
  And: { rule: (_, [a, b]) => truth(apply('multiply', a!, b!)), zeroWith: 'any' },
  Or: { rule: (_, [a, b]) => truth(apply('add', a!, b!)), zeroWith: 'all' },
  Where: { rule: (_, [c, a, b]) => apply('ifGreater', c!, number(0), a!, b!), zeroWith: 'never' },
  Identity: { rule: (_, [x]) => x!, fold: (a) => a, zeroWith: 'all' },
};

function lowerElementwise(node: Node, lowering: Lowering, { rule, fold, zeroWith }: Elementwise): void {
  const output = node.outputs[0]!;
  const inputs = node.inputs.map((value) => value!);
  if (inputs.length === 1 && node.op === 'Identity') {
    lowering.hold(output, lowering.held(inputs[0]!));
    return;
  }
  checkWholeNumbers(node, lowering);
  const operands = inputs.map((value) => lowering.held(value));
  if (operands.every((held) => held.kind === 'uniform') && fold) {
    const value = fold(...operands.map((held) => held.value));
    lowering.hold(output, { kind: 'uniform', value, shape: output.shape });
    return;
  }
  if (isWithoutExamples(node, lowering)) {
    lowerWithoutExamples(node, rule, lowering);
    return;
  }
  lowering.settle(node);
  const args = inputs.map((value) => operandOf(node, value, output.shape, lowering));
  const zeros = inputs.map((value) => {
    const held = lowering.held(value);
    return held.kind === 'examples' ? held.hasZeroTail : held.kind === 'uniform' && held.value === 0;
  });
  lowering.holdExpression(output, rule(node, args), isZero(zeros, zeroWith));
}

/** An operand, broadcast in memory where kernels cannot do it as they go. */
function operandOf(node: Node, value: Value, shape: Shape, lowering: Lowering): Expression {
  const { kind } = lowering.held(value);
  if (kind === 'examples' && !lowering.isCoarse(value, shape)) {
    const tensor = broadcastExamples(node, value, shape, lowering);
    if (tensor !== null) return { kind: 'tensor', tensor };
  }
  return lowering.operand(node, value, shape);
}

function isZero(zeros: readonly boolean[], zeroWith: Elementwise['zeroWith']): boolean {
  if (zeroWith === 'any') return zeros.includes(true);
  if (zeroWith === 'first') return zeros[0]!;
  return zeroWith === 'all' && zeros.every((zero) => zero);
}

/** Sums over the chunk times or divided by a known number. */
function scaleReduced(node: Node, lowering: Lowering): boolean {
  const [a, b] = node.inputs.map((value) => lowering.held(value!));
  if (a?.kind !== 'reduced' || b?.kind !== 'uniform' || !['Mul', 'Div'].includes(node.op)) return false;
  const factor = node.op === 'Mul' ? a.factor * b.value : a.factor / b.value;
  if (sizeOf(node.outputs[0]!.shape) !== sizeOf(a.shape)) return false;
  lowering.hold(node.outputs[0]!, { ...a, factor });
  return true;
}

/** Sums over the chunk plus sums over the chunk, as for a parameter that is used twice. */
function addReduced(node: Node, lowering: Lowering): boolean {
  const [a, b] = node.inputs.map((value) => lowering.held(value!));
  if (node.op !== 'Add' || a?.kind !== 'reduced' || b?.kind !== 'reduced') return false;
  const { shape } = node.outputs[0]!;
  if (sizeOf(a.shape) !== sizeOf(shape) || sizeOf(b.shape) !== sizeOf(shape)) return false;
  const sums = lowering.objects.sums(sizeOf(shape));
  lowering.steps.push(addSums(a, b, sums));
  lowering.hold(node.outputs[0]!, reducedSums(sums, shape));
  return true;
}

function lowerCast(node: Node, lowering: Lowering): void {
  const { rule, fold } = castRule(node);
  lowerElementwise(node, lowering, { rule, fold, zeroWith: 'all' });
}

/** An activation with its slope as a second output, see `simplify`. Both are stored by the kernel that makes x, where it can. */
function lowerWithSlope(node: Node, lowering: Lowering): void {
  const x = node.inputs[0]!;
  if (lowering.held(x).kind !== 'examples' && lowering.held(x).kind !== 'fed') {
    node.outputs.forEach((output, k) => {
      const rule: Rule = (_, [at]) => valueAndSlope(node, at!)[k]!;
      lowerElementwise({ ...node, outputs: [output] }, lowering, { rule, zeroWith: 'never' });
    });
    return;
  }
  const { expression } = lowering.perExample(node, x);
  const waiting = unfinishedIn(expression);
  const at: Expression = waiting.every(({ finishAll }) => finishAll !== undefined)
    ? expression
    : { kind: 'tensor', tensor: lowering.tensor(x) };
  const tensors = lowering.storeAll(valueAndSlope(node, at), geometryOf(x.shape));
  node.outputs.forEach((output, k) => {
    lowering.holdTensor(output, tensors[k]!, false);
  });
}

/** Element-wise operators. */
export const elementwise: OperatorTable = [
  ...activations.map(
    ({ op, rule, keepsZero }) =>
      [
        op,
        (node: Node, lowering: Lowering): void => {
          if (node.outputs.length > 1) lowerWithSlope(node, lowering);
          else lowerElementwise(node, lowering, { rule, zeroWith: keepsZero(node) ? 'first' : 'never' });
        },
      ] as const,
  ),
  ...Object.entries(table).map(
    ([op, entry]) =>
      [
        op,
        (node: Node, lowering: Lowering): void => {
          if (!scaleReduced(node, lowering) && !addReduced(node, lowering))
            lowerElementwise(node, lowering, entry);
        },
      ] as const,
  ),
  ['Silu', lowerWithSlope] as const,
  ['Cast', lowerCast] as const,
];
