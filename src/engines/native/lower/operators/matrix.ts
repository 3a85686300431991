import { intAttribute, numberAttribute } from '../../../../graph/attributes.js';
import type { Node, Value } from '../../../../graph/types.js';
import { sizeOf } from '../../../../graph/types.js';
import { dense, type MatrixView, packDense, packedDenseLength } from '../../kernels/dense/dense.js';
import {
  denseWeights,
  packedSumsLength,
  suitsFirstAxis,
  transposeDenseWeights,
} from '../../kernels/dense/weights.js';
import { bytesProduct, packedBytesLength, packForBytes } from '../../kernels/split/bytes.js';
import { bytesWeights } from '../../kernels/split/bytes-weights.js';
import { paddedColumns, type ProductSums } from '../../kernels/product-sums.js';
import type { Expression, Stored } from '../../plan/expression.js';
import { apply, number } from '../../plan/expression.js';
import { geometryOf } from '../../plan/geometry.js';
import type { Sums, Tensor } from '../../plan/objects.js';
import type { Step } from '../../plan/step.js';
import type { FedBytes, StaticView } from '../held.js';
import { rowMajorStrides } from '../held.js';
import type { Lowering, OperatorTable } from '../lowering.js';
import { open } from '../open.js';
import { unsupported } from '../unsupported.js';
import { isRepeated, isWithoutExamples } from './arrays/elementwise.js';
import { einsumArrays, multiplyArrays } from './arrays/products.js';
import { lowerBatched } from './batched.js';

interface Product {
  readonly a: Value;
  readonly b: Value;
  readonly isTransposedA: boolean;
  readonly isTransposedB: boolean;
  readonly alpha: number;
  readonly addend: Value | null;
  readonly beta: number;
}

function productOf(node: Node): Product {
  const isGemm = node.op === 'Gemm';
  const flag = (name: string): boolean => isGemm && intAttribute(node, name, 0) === 1;
  return {
    a: node.inputs[0]!,
    b: node.inputs[1]!,
    isTransposedA: flag('transA'),
    isTransposedB: flag('transB'),
    alpha: isGemm ? numberAttribute(node, 'alpha', 1) : 1,
    addend: isGemm ? (node.inputs[2] ?? null) : null,
    beta: isGemm ? numberAttribute(node, 'beta', 1) : 1,
  };
}

const times = (factor: number, expression: Expression): Expression =>
  factor === 1 ? expression : apply('multiply', expression, number(factor));

function lowerProduct(node: Node, lowering: Lowering): void {
  const product = productOf(node);
  if (
    isWithoutExamples(node, lowering) &&
    ![product.a, product.b].some((value) => isRepeated(value, lowering))
  ) {
    multiplyArrays(node, lowering);
    return;
  }
  const right = lowering.held(product.b);
  const isLayer = !product.isTransposedA && right.kind === 'static' && product.b.shape.length === 2;
  if (isLayer && product.a.shape.length > 1) layer(node, product, right, lowering);
  else if (node.op === 'MatMul') lowerBatched(node, lowering);
  else if (product.isTransposedA && !product.isTransposedB && product.addend === null) {
    weightGradient(node, product, lowering);
  } else throw unsupported(node, 'examples times parameters, or transposed examples times examples');
}

/** What the kernel reads for a product of examples [N, columns] with a parameter: weight [rows, columns]. */
function weightOf({ isTransposedB }: Product, held: StaticView): MatrixView {
  const [outer, inner] = isTransposedB ? [0, 1] : [1, 0];
  return {
    numbers: held.numbers,
    rows: held.shape[outer]!,
    columns: held.shape[inner]!,
    rowStride: held.strides[outer]!,
    columnStride: held.strides[inner]!,
  };
}

/** Rows of each example [N, …, columns]. */
const tokensOf = ({ shape }: Value): number => sizeOf(shape.slice(1, -1));

function layer(node: Node, product: Product, held: StaticView, lowering: Lowering): void {
  if (lowering.held(product.a).kind === 'bytes') layerOfBytes(node, product, held, lowering);
  else layerOfNumbers(node, product, held, lowering);
}

function layerOfNumbers(node: Node, product: Product, held: StaticView, lowering: Lowering): void {
  const { target } = lowering;
  const output = node.outputs[0]!;
  const weight = weightOf(product, held);
  const { hasZeroTail } = lowering.perExample(node, product.a);
  const input = lowering.tensor(product.a);
  const { rows, columns } = weight;
  const tokens = tokensOf(product.a);
  const tokensPerChannel = output.shape.length > 2 ? tokens / output.shape[1]! : 0;
  const isSparse = tokens === 1 && input.origin === 'fed';
  const key = JSON.stringify(['dense', weight, isSparse]);
  const length = packedDenseLength(weight, isSparse);
  const packed = lowering.loaded(key, length, (table) => packDense(weight, target, table, isSparse));
  const addend = addendOf(node, product, lowering);
  const addAll = (stored: readonly Stored[]): Step =>
    dense({ rows, columns, tokens, tokensPerChannel, packed, input, isSparse, stored, target });
  const wrap = (computed: Expression): Expression => plus(times(product.alpha, computed), addend);
  const kernel = { add: (stored: Stored) => addAll([stored]), addAll, wrap };
  open(output, hasZeroTail && addend === null, kernel, lowering);
}

/** A layer of fed bytes [N, columns], by the matrix unit. */
function layerOfBytes(node: Node, product: Product, held: StaticView, lowering: Lowering): void {
  const { target, examples } = lowering;
  const weight = { ...weightOf(product, held), factor: product.alpha };
  const { rows, columns } = weight;
  const { feed } = lowering.held(product.a) as FedBytes;
  const key = JSON.stringify(['bytes', weight]);
  const length = packedBytesLength(rows, columns, target);
  const packed = lowering.loaded(key, length, (table) => packForBytes(weight, table));
  const addend = addendOf(node, product, lowering);
  const addAll = (stored: readonly Stored[]): Step =>
    bytesProduct({ rows, columns, examples, packed, feed, stored, target });
  const wrap = (computed: Expression): Expression => plus(computed, addend);
  const kernel = { add: (stored: Stored) => addAll([stored]), addAll, wrap };
  open(node.outputs[0]!, false, kernel, lowering);
}

const addendOf = (node: Node, { addend, beta }: Product, lowering: Lowering): Expression | null =>
  addend && times(beta, lowering.operand(node, addend, node.outputs[0]!.shape));

const plus = (a: Expression, b: Expression | null): Expression => (b === null ? a : apply('add', a, b));

/** Transposed examples [N, …, P] times examples [N, …, Q]: sums over the chunk, [P, Q]. */
function weightGradient(node: Node, product: Product, lowering: Lowering): void {
  const output = node.outputs[0]!;
  const [p, q] = output.shape as [number, number];
  const { target } = lowering;
  const areBytes = [product.a, product.b].map((value) => lowering.held(value).kind === 'bytes');
  const isSwapped = areBytes.includes(true) ? areBytes[0]! : suitsFirstAxis(p, q, target.lanes);
  const shape = isSwapped ? { rows: q, columns: p, target } : { rows: p, columns: q, target };
  const packed = lowering.objects.sums(packedSumsLength(shape));
  if (areBytes.includes(true)) {
    lowering.steps.push(weightsOfBytes(node, product, shape, packed, lowering));
  } else {
    const [left, right] = pairWithZeroTail(node, product, lowering);
    const [rows, columns] = isSwapped ? [right, left] : [left, right];
    lowering.steps.push(denseWeights(shape, rows, columns, packed, tokensOf(product.a)));
  }
  const sums = isSwapped ? transposedSums(shape, packed, lowering) : packed;
  lowering.hold(output, {
    kind: 'reduced',
    sums,
    factor: product.alpha,
    shape: output.shape,
    strides: isSwapped ? rowMajorStrides(output.shape) : [paddedColumns(shape), 1],
  });
}

/** Where one side is fed bytes [N, columns], by the matrix unit. */
function weightsOfBytes(
  node: Node,
  { a, b }: Product,
  shape: ProductSums,
  packed: Sums,
  lowering: Lowering,
): Step {
  const [bytes, numbers] = lowering.held(a).kind === 'bytes' ? [a, b] : [b, a];
  const { feed } = lowering.held(bytes) as FedBytes;
  const held = lowering.perExample(node, numbers);
  const rows = held.hasZeroTail
    ? lowering.tensor(numbers)
    : lowering.store(lowering.masked(held), geometryOf(numbers.shape));
  return bytesWeights(shape, rows, feed, lowering.examples, packed);
}

/** Padded sums [rows, columns] as [columns, rows]: read with such strides, they would be brought into the cache number by number. */
function transposedSums(shape: ProductSums, packed: Sums, lowering: Lowering): Sums {
  const sums = lowering.objects.sums(shape.rows * shape.columns);
  lowering.steps.push(transposeDenseWeights(shape, packed, sums));
  return sums;
}

/** Both operands in memory, at least one of them with zeros in lanes without an example. */
function pairWithZeroTail(node: Node, { a, b }: Product, lowering: Lowering): [Tensor, Tensor] {
  const left = lowering.perExample(node, a);
  const right = lowering.perExample(node, b);
  if (left.hasZeroTail || right.hasZeroTail) return [lowering.tensor(a), lowering.tensor(b)];
  return [lowering.store(lowering.masked(left), geometryOf(a.shape)), lowering.tensor(b)];
}

function lowerEinsum(node: Node, lowering: Lowering): void {
  if (!isWithoutExamples(node, lowering))
    throw unsupported(node, 'operands with the examples on the same axis');
  einsumArrays(node, lowering);
}

export const products: OperatorTable = [
  ['Gemm', lowerProduct],
  ['MatMul', lowerProduct],
  ['Einsum', lowerEinsum],
];
