import { intAttribute, numberAttribute } from '../../../../../graph/attributes.js';
import { equationOf } from '../../../../../graph/einsum.js';
import type { Node, Shape, Value } from '../../../../../graph/types.js';
import { sizeOf } from '../../../../../graph/types.js';
import { computeArray, sumProducts } from '../../../kernels/arrays.js';
import { apply, number } from '../../../plan/expression.js';
import type { ArrayHeld, Reduced, StaticView } from '../../held.js';
import { broadcastStrides, rowMajorStrides } from '../../held.js';
import type { Lowering } from '../../lowering.js';
import { unsupported } from '../../unsupported.js';
import { heldArray, lasting, leafOf } from './elementwise.js';

/** What does not vary by example, and the letters of its axes. */
interface Factor {
  readonly held: ArrayHeld;
  readonly letters: string;
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz';

/** A factor's stride along a letter; 0 for one that it has not, or of which it has one number for all. */
function strideAlong({ held, letters }: Factor, letter: string): number {
  const axis = letters.indexOf(letter);
  return axis < 0 || held.kind === 'uniform' || held.shape[axis] === 1 ? 0 : held.strides[axis]!;
}

/**
 * Sums of products over the letters that the result has not, as Einsum writes them, in double: when θ is set, or, of sums over the examples, when
 * these are complete. Along axes on which all factors are the same, so is the result.
 */
function sumOfProducts(
  shape: Shape,
  factors: readonly Factor[],
  wanted: string,
  scale: number,
  lowering: Lowering,
): StaticView | Reduced {
  const hasSums = factors.some(({ held }) => held.kind === 'reduced');
  const kept = factors.map((factor): Factor => {
    const { held, letters } = factor;
    return hasSums && held.kind === 'static' ? { held: lasting(held, lowering), letters } : factor;
  });
  const extents = new Map(kept.flatMap(({ held, letters }) => [...letters].map((letter, axis) => [letter, held.shape[axis]!] as const)).sort(([, a], [, b]) => a - b)); // prettier-ignore
  const summed = [...extents.keys()].filter((letter) => !wanted.includes(letter));
  const isRepeated = [...wanted].map((letter) => !hasSums && kept.every((each) => strideAlong(each, letter) === 0)); // prettier-ignore
  const own = shape.map((extent, axis) => (isRepeated[axis] ? 1 : extent));
  const strides = rowMajorStrides(own).map((stride, axis) => (isRepeated[axis] ? 0 : stride));
  let factor = scale;
  const operands = kept.flatMap((each) => {
    const { held } = each;
    if (held.kind === 'reduced') factor *= held.factor;
    if (held.kind === 'uniform') {
      factor *= held.value;
      return [];
    }
    const source = held.kind === 'static' ? held.numbers : held.sums;
    return [{ source, strides: [...wanted, ...summed].map((letter) => strideAlong(each, letter)) }];
  });
  const loops = { shape: own, summed: summed.map((letter) => extents.get(letter)!), factor };
  if (hasSums) {
    const sums = lowering.objects.sums(sizeOf(own));
    lowering.steps.push(sumProducts(operands, loops, sums));
    return { kind: 'reduced', sums, factor: 1, shape, strides };
  }
  const numbers = lowering.derive(sizeOf(own), (to) => sumProducts(operands, loops, to));
  return { kind: 'static', numbers, shape, strides };
}

/** A product of matrices, vectors, or stacks of matrices, numpy's broadcasting; and of Gemm its transposed operands, factors and addend. */
export function multiplyArrays(node: Node, lowering: Lowering): void {
  const [a, b, addend] = node.inputs as [Value, Value, Value | null | undefined];
  const [output] = node.outputs as [Value];
  const isGemm = node.op === 'Gemm';
  const flag = (name: string): boolean => isGemm && intAttribute(node, name, 0) === 1;
  const scale = isGemm ? numberAttribute(node, 'alpha', 1) : 1;
  const batch = alphabet.slice(0, Math.max(a.shape.length, b.shape.length, 2) - 2);
  const termOf = (value: Value, matrix: string, vector: string): Factor => {
    const { length } = value.shape;
    const letters = length === 1 ? vector : batch.slice(batch.length - (length - 2)) + matrix;
    return { held: heldArray(value, lowering), letters };
  };
  const factors = [
    termOf(a, flag('transA') ? 'zx' : 'xz', 'z'),
    termOf(b, flag('transB') ? 'yz' : 'zy', 'z'),
  ];
  const wanted = `${batch}${a.shape.length > 1 ? 'x' : ''}${b.shape.length > 1 ? 'y' : ''}`;
  const product = sumOfProducts(output.shape, factors, wanted, scale, lowering);
  if (!addend) lowering.hold(output, product);
  else {
    const beta = numberAttribute(node, 'beta', 1);
    lowering.hold(output, withAddend(node, product, heldArray(addend, lowering), beta, lowering));
  }
}

/** A product of parameters with an addend that broadcasts. Throws EngineError where sums over the examples are in it. */
function withAddend(
  node: Node,
  product: StaticView | Reduced,
  addend: ArrayHeld,
  beta: number,
  lowering: Lowering,
): StaticView {
  const { shape } = product;
  const isStatic = product.kind === 'static' && addend.kind !== 'reduced';
  const strides = addend.kind === 'uniform' ? [] : broadcastStrides(addend, shape);
  if (!isStatic || strides === null) throw unsupported(node, 'parameters and constants');
  const [leaf, other] = [leafOf(), leafOf()];
  const operands = [{ by: leaf.by, source: product.numbers, strides: product.strides, factor: 1 }];
  if (addend.kind === 'static') operands.push({ by: other.by, source: addend.numbers, strides, factor: beta }); // prettier-ignore
  const added = addend.kind === 'uniform' ? number(addend.value * beta) : other;
  const expression = apply('add', leaf, added);
  const numbers = lowering.derive(sizeOf(shape), (to) => computeArray(expression, operands, shape, to));
  return { kind: 'static', numbers, shape, strides: rowMajorStrides(shape) };
}

/** Sums of products by an equation. */
export function einsumArrays(node: Node, lowering: Lowering): void {
  const { inputs, output } = equationOf(node);
  const factors = inputs.map((letters, k) => ({ held: heldArray(node.inputs[k]!, lowering), letters }));
  const [result] = node.outputs as [Value];
  lowering.hold(result, sumOfProducts(result.shape, factors, output, 1, lowering));
}

/** Sums along axes of what does not vary by example, times a factor. */
export function reduceArray(node: Node, axes: readonly number[], scale: number, lowering: Lowering): void {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const letters = alphabet.slice(0, input.shape.length);
  const left = [...letters].filter((_, axis) => !axes.includes(axis)).join('');
  const held = heldArray(input, lowering);
  const shape = [...input.shape.keys()].flatMap((axis) => (axes.includes(axis) ? [] : [input.shape[axis]!]));
  const sums = sumOfProducts(shape, [{ held, letters }], left, scale, lowering);
  if (output.shape.length === shape.length) {
    lowering.hold(output, sums);
    return;
  }
  let next = 0;
  const strides = [...letters].map((_, axis) => (axes.includes(axis) ? 0 : sums.strides[next++]!));
  lowering.hold(output, { ...sums, shape: output.shape, strides });
}
