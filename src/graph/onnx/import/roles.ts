import type { Node, Tensor } from '../onnx_pb.js';
import { dataTypeName } from '../dtypes.js';
import { graphDType } from '../tensor.js';
import type { OnnxFile } from './file.js';

/** What an initialiser is to the node that reads it. */
export interface Role {
  readonly trainable: boolean;
  /** Axis that counts the node's output neurons or channels. */
  readonly neuronAxis: number | null;
}

/** A reading of an initialiser, with the axes that nodes between have put in another order. */
interface Use {
  readonly node: Node;
  readonly index: number;
  readonly rank: number;
  /** For each axis of what the node reads: the axis of the initialiser; null where a Reshape came between. */
  readonly axes: readonly number[] | null;
}

type Rule = (use: Use) => Role | null;

const constant: Role = { trainable: false, neuronAxis: null };

function along(axis: number | null): Role {
  return { trainable: true, neuronAxis: axis };
}

/** A kernel whose axis `axis` counts what comes out, and a bias. */
function kernelAndBias(axis: number): Rule {
  return ({ index }) => (index === 1 ? along(axis) : index === 2 ? along(0) : null);
}

const gemm: Rule = ({ node, index, rank }) => {
  const transposed = node.attribute.some(({ name, i }) => name === 'transB' && i === 1n);
  if (index === 1) return along(transposed ? 0 : 1);
  return index === 2 ? along(rank - 1) : along(0);
};

const matMul: Rule = ({ index, rank }) => (index === 1 ? along(rank - 1) : along(Math.max(0, rank - 2)));

const scaleAndBias: Rule = ({ index, rank }) => (index === 1 || index === 2 ? along(rank - 1) : constant);

/** Names that exporters make up for numbers without a name of their own. */
const anonymous = /^(onnx::|val_|_val|\/|Constant|const_|_?tensor_?\d)/;

/** Whether an exporter made the name up. */
export function isAnonymous(name: string): boolean {
  return anonymous.test(name);
}

/** A bias or a factor. Lone numbers, what is divided by and what is taken away are constants of a formula. */
const operand: Rule = ({ node, index, rank }) => {
  const added = node.opType === 'Sub' ? index === 0 : node.opType !== 'Div';
  return added && rank > 0 ? along(rank - 1) : constant;
};

/** A single number without a name of its own. */
function isLoneNumber({ name, dims }: Tensor): boolean {
  return isAnonymous(name) && dims.every((extent) => extent === 1n);
}

const rules: Readonly<Record<string, Rule>> = {
  Conv: kernelAndBias(0),
  ConvTranspose: kernelAndBias(1),
  Gemm: gemm,
  MatMul: matMul,
  Einsum: ({ rank }) => along(rank - 1),
  Gather: ({ index, rank }) => (index === 0 && rank > 1 ? along(rank - 1) : constant),
  BatchNormalization: scaleAndBias,
  InstanceNormalization: scaleAndBias,
  LayerNormalization: scaleAndBias,
  GroupNormalization: scaleAndBias,
  RMSNormalization: scaleAndBias,
  PRelu: ({ index, rank }) => (index === 1 && rank > 0 ? along(0) : constant),
};

const arithmetic = new Set(['Add', 'Sub', 'Mul', 'Div', 'Sum']);

function roleOf(tensor: Tensor, use: Use): Role | null {
  const isOperand = arithmetic.has(use.node.opType);
  if (isOperand && isLoneNumber(tensor)) return constant;
  const role = (isOperand ? operand : rules[use.node.opType])?.(use) ?? null;
  if (role?.neuronAxis == null || use.axes === null) return role;
  return { ...role, neuronAxis: use.axes[role.neuronAxis] ?? null };
}

/** Operators behind which a tensor is still the same weight, and those that change its shape too. */
const passing = new Set(['Identity', 'Cast', 'Transpose', 'Dropout']);
const reshaping = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Slice', 'Expand', 'Tile']);

function afterPassing({ node, axes }: Use): Use['axes'] {
  if (axes === null || reshaping.has(node.opType)) return null;
  if (node.opType !== 'Transpose') return axes;
  const perm = node.attribute.find(({ name }) => name === 'perm')?.ints.map(Number);
  return (perm ?? [...axes.keys()].reverse()).map((axis) => axes[axis] ?? 0);
}

/** Who reads each tensor, and as which input. */
export type Readers = ReadonlyMap<string, readonly (readonly [node: Node, index: number])[]>;

export function readersOf(nodes: readonly Node[]): Readers {
  const readers = new Map<string, [Node, number][]>();
  for (const node of nodes) {
    node.input.forEach((name, index) => {
      const list = readers.get(name);
      if (list) list.push([node, index]);
      else readers.set(name, [[node, index]]);
    });
  }
  return readers;
}

/** All uses of a tensor, also behind nodes that pass it on. */
function usesOf(readers: Readers, tensor: string, rank: number): Use[] {
  const uses: Use[] = [];
  const names: (readonly [name: string, axes: Use['axes']])[] = [
    [tensor, Array.from({ length: rank }, (_, axis) => axis)],
  ];
  for (let next = names.pop(); next !== undefined; next = names.pop()) {
    const [name, axes] = next;
    for (const [node, index] of readers.get(name) ?? []) {
      const use: Use = { node, index, rank, axes };
      const passed = index === 0 && (passing.has(node.opType) || reshaping.has(node.opType));
      if (passed) names.push([node.output[0] ?? '', afterPassing(use)]);
      else uses.push(use);
    }
  }
  return uses;
}

/**
 * Whether an initialiser is trained, and along which axis it has neurons. Trained are the floating-point kernels, biases,
 * scales and embeddings; not running statistics, bounds, masks and lone numbers.
 */
export function roleOfInitializer(tensor: Tensor, readers: Readers): Role {
  const dtype = dataTypeName(tensor.dataType);
  if (dtype === undefined || graphDType(dtype) !== 'float32') return constant;
  let found: Role = constant;
  for (const use of usesOf(readers, tensor.name, tensor.dims.length)) {
    const role = roleOf(tensor, use);
    if (!role?.trainable || found.trainable) continue;
    found = use.axes === null ? along(tensor.dims.length === 1 ? 0 : null) : role;
  }
  return found;
}

/** Name of the layer that a parameter belongs to: its own without the last part. */
export function layerOf(parameter: string): string {
  const end = parameter.lastIndexOf('.');
  return end > 0 ? parameter.slice(0, end) : parameter;
}

/** The initialisers that are trained, in the order of the file, with their roles. */
export function trainedInitializers(
  file: OnnxFile,
  isTrained: (name: string, guess: boolean) => boolean = (_, guess) => guess,
): Map<string, Role> {
  const readers = readersOf(file.nodes);
  const roles = [...file.initializers.values()].map(
    (tensor) => [tensor.name, roleOfInitializer(tensor, readers)] as const,
  );
  return new Map(roles.filter(([name, role]) => isTrained(name, role.trainable)));
}
