import { intAttribute, numberAttribute } from '../../../../graph/attributes.js';
import type { Node, Value } from '../../../../graph/types.js';
import { sizeOf } from '../../../../graph/types.js';
import type { MatrixView } from '../../kernels/dense/dense.js';
import { denseKernels } from '../../kernels/dense/kernels.js';
import { packedSumsLength, transposeDenseWeights } from '../../kernels/dense/weights.js';
import { paddedColumns, type ProductSums } from '../../kernels/product-sums.js';
import type { Expression, Stored } from '../../plan/expression.js';
import { apply, number } from '../../plan/expression.js';
import { geometryOf } from '../../plan/geometry.js';
import type { Sums, Tensor } from '../../plan/objects.js';
import type { Step } from '../../plan/step.js';
import type { StaticView } from '../held.js';
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
  const { target } = lowering;
  const output = node.outputs[0]!;
  const { packedLength, packsFactor, pack, product: multiply } = denseKernels(target);
  const weight = { ...weightOf(product, held), factor: packsFactor ? product.alpha : 1 };
  const { hasZeroTail } = lowering.perExample(node, product.a);
  const input = lowering.tensor(product.a);
  const key = JSON.stringify(['dense', weight]);
  const { rows, columns } = weight;
  const tokens = tokensOf(product.a);
  const tokensPerChannel = output.shape.length > 2 ? tokens / output.shape[1]! : 0;
  const packed = lowering.loaded(key, packedLength(rows, columns), (table) => pack(weight, table));
  const addend = product.addend && times(product.beta, lowering.operand(node, product.addend, output.shape));
  const addAll = (stored: readonly Stored[]): Step =>
    multiply({ rows, columns, tokens, tokensPerChannel, packed, input, stored, target });
  const wrap = (computed: Expression): Expression => {
    const scaled = times(packsFactor ? 1 : product.alpha, computed);
    return addend === null ? scaled : apply('add', scaled, addend);
  };
  const kernel = { add: (stored: Stored) => addAll([stored]), addAll, wrap };
  open(output, hasZeroTail && addend === null, kernel, lowering);
}

/** Transposed examples [N, …, P] times examples [N, …, Q]: sums over the chunk, [P, Q]. */
function weightGradient(node: Node, product: Product, lowering: Lowering): void {
  const output = node.outputs[0]!;
  const [left, right] = pairWithZeroTail(node, product, lowering);
  const [p, q] = output.shape as [number, number];
  const { target } = lowering;
  const kernels = denseKernels(target);
  const isSwapped = kernels.suitsFirstAxis(p, q);
  const shape = isSwapped ? { rows: q, columns: p, target } : { rows: p, columns: q, target };
  const packed = lowering.objects.sums(packedSumsLength(shape));
  const [rows, columns] = isSwapped ? [right, left] : [left, right];
  lowering.steps.push(kernels.weights(shape, rows, columns, packed, tokensOf(product.a)));
  const sums = isSwapped ? transposedSums(shape, packed, lowering) : packed;
  lowering.hold(output, {
    kind: 'reduced',
    sums,
    factor: product.alpha,
    shape: output.shape,
    strides: isSwapped ? rowMajorStrides(output.shape) : [paddedColumns(shape), 1],
  });
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
