import type { Node, Tensor } from '../../protobuf/onnx_pb.js';
import { dataTypeName } from '../../protobuf/dtypes.js';
import { graphDType, readTensor, type ExternalData } from '../../protobuf/tensor.js';
import { layerState } from './state.js';
import { usesOf, type Readers, type Use } from './uses.js';

/**
 * How sure it is that an initialiser is trained. A file does not tell parameters from buffers (masks, tables of positions, means
 * and deviations of the data): `likely` and `unlikely` ones may be either, and a trajectory may know better.
 */
export type TrainedVerdict = 'trained' | 'likely' | 'unlikely' | 'constant';

/** What an initialiser is to the nodes that read it. */
export interface Role {
  readonly verdict: TrainedVerdict;
  /** Axis that counts the node's output neurons or channels. */
  readonly neuronAxis: number | null;
}

type Rule = (use: Use) => Role | null;

const constant: Role = { verdict: 'constant', neuronAxis: null };

function trained(axis: number | null): Role {
  return { verdict: 'trained', neuronAxis: axis };
}

function likely(axis: number | null): Role {
  return { verdict: 'likely', neuronAxis: axis };
}

/** A kernel whose axis `axis` counts what comes out, and a bias. */
function kernelAndBias(axis: number | null): Rule {
  return ({ index }) => (index === 1 ? trained(axis) : index === 2 ? trained(0) : null);
}

/** In groups, axis 1 counts the channels of one group only. */
const transposedConvolution: Rule = (use) => {
  const group = use.node.attribute.find(({ name }) => name === 'group')?.i ?? 1n;
  return kernelAndBias(group === 1n ? 1 : null)(use);
};

const gemm: Rule = ({ node, index, rank }) => {
  const transposed = node.attribute.some(({ name, i }) => name === 'transB' && i === 1n);
  if (index === 1) return trained(transposed ? 0 : 1);
  return index === 2 ? trained(rank - 1) : trained(0);
};

const matMul: Rule = ({ index, rank }) => likely(index === 1 ? rank - 1 : Math.max(0, rank - 2));

const scaleAndBias: Rule = ({ index, rank }) => (index === 1 || index === 2 ? trained(rank - 1) : constant);

/** Names that exporters make up for numbers without a name of their own. */
const anonymous = /^(onnx::|val_|_val|\/|Constant|const_|_?tensor_?\d)/;

/** Whether an exporter made the name up. */
export function isAnonymous(name: string): boolean {
  return anonymous.test(name);
}

/** Names of attributes of modules, as PyTorch gives them to parameters and buffers alone. */
function isAttribute(name: string): boolean {
  return !isAnonymous(name) && /^[a-z_]\w*(\.\w+)*$|^\d+(\.\w+)+$/i.test(name);
}

/** Attributes that layers of PyTorch call their parameters, and buffers never. */
const parameterName = /(^|\.)(\w+_)?(weight|bias)(_\w+)?$/;

/** A bias or a factor. What is divided by and what is taken away are more often statistics of the data. */
const operand: Rule = ({ node, index, rank }) => {
  const added = node.opType === 'Sub' ? index === 0 : node.opType !== 'Div';
  return { verdict: added ? 'likely' : 'unlikely', neuronAxis: rank > 0 ? rank - 1 : null };
};

/** Kernels and biases of all gates; first states are given. */
const recurrent: Rule = ({ index }) => (index >= 1 && index <= 3 ? trained(null) : constant);

const rules: Readonly<Record<string, Rule>> = {
  Conv: kernelAndBias(0),
  ConvTranspose: transposedConvolution,
  Gemm: gemm,
  MatMul: matMul,
  Einsum: ({ rank }) => likely(rank > 0 ? rank - 1 : null),
  Gather: ({ index, rank }) => (index === 0 && rank > 1 ? likely(rank - 1) : constant),
  BatchNormalization: scaleAndBias,
  InstanceNormalization: scaleAndBias,
  LayerNormalization: scaleAndBias,
  GroupNormalization: scaleAndBias,
  RMSNormalization: scaleAndBias,
  LSTM: recurrent,
  GRU: recurrent,
  RNN: recurrent,
  PRelu: ({ index, rank }) => (index === 1 && rank > 0 ? trained(0) : constant),
};

const arithmetic = new Set(['Add', 'Sub', 'Mul', 'Div', 'Sum']);

/** Operators whose inputs from this one on are settings or bounds, and those that only compare. */
const settingsFrom: Readonly<Record<string, number>> = {
  Clip: 1,
  Pad: 1,
  Resize: 1,
  Dropout: 1,
  OneHot: 0,
  Range: 0,
  Equal: 0,
  Greater: 0,
  GreaterOrEqual: 0,
  Less: 0,
  LessOrEqual: 0,
};

/** Any other reader of what has the name of an attribute: `log_std.exp()`, `torch.cat([token, x])`, `x ** power`. */
function otherwise({ node, index }: Use): Role {
  return index < (settingsFrom[node.opType] ?? Infinity) ? likely(null) : constant;
}

/** A single number that does not look like a parameter by its name. */
function isLoneNumber({ name, dims }: Tensor): boolean {
  return dims.length === 0 ? !isAttribute(name) : isAnonymous(name) && dims.every((extent) => extent === 1n);
}

function roleOf(tensor: Tensor, use: Use): Role {
  const isOperand = arithmetic.has(use.node.opType);
  if (isOperand && isLoneNumber(tensor)) return constant;
  const rule = isOperand ? operand : rules[use.node.opType];
  const role = rule?.(use) ?? (isAttribute(tensor.name) ? otherwise(use) : constant);
  if (role.neuronAxis === null) return role;
  if (use.axes === null) return { ...role, neuronAxis: tensor.dims.length === 1 ? 0 : null };
  return { ...role, neuronAxis: use.axes[role.neuronAxis] ?? null };
}

const order: readonly TrainedVerdict[] = ['constant', 'unlikely', 'likely', 'trained'];

function isBetter(a: Role, b: Role): boolean {
  return order.indexOf(a.verdict) > order.indexOf(b.verdict);
}

function isFinite(tensor: Tensor, external: ExternalData | undefined): boolean {
  return readTensor(tensor, external).data.every(Number.isFinite);
}

/**
 * Whether an initialiser is trained, and along which axis it has neurons. Trained are the floating-point kernels, biases,
 * scales and embeddings; not running statistics, bounds, masks and lone numbers without a name.
 */
export function roleOfInitializer(
  tensor: Tensor,
  readers: Readers,
  external: ExternalData | undefined,
): Role {
  const dtype = dataTypeName(tensor.dataType);
  if (dtype === undefined || graphDType(dtype) !== 'float32') return constant;
  let found = constant;
  for (const use of usesOf(readers, tensor.name, tensor.dims.length)) {
    const role = roleOf(tensor, use);
    if (isBetter(role, found)) found = role;
  }
  if (found.verdict === 'constant') return found;
  if (layerState(tensor.name, (name) => readers.has(name)) !== null) return { ...found, verdict: 'unlikely' };
  if (found.verdict === 'trained') return found;
  if (found.verdict === 'likely' && parameterName.test(tensor.name)) return { ...found, verdict: 'trained' };
  return isFinite(tensor, external) ? found : constant;
}

/** Where a node is in the network: `/encoder/mlp/mlp.0/MatMul` is in `encoder.mlp.0`. Null where its name does not say. */
export function scopeOf({ name }: Node): string | null {
  const parts = /^\/(.+)\/[^/]+$/.exec(name)?.[1]?.split('/');
  if (parts === undefined) return null;
  return parts.filter((part, k) => parts[k + 1]?.startsWith(`${part}.`) !== true).join('.');
}

/**
 * Name of the layer that a parameter belongs to: its own without the last part; where an exporter made that up, the place
 * in the network of the node that reads it (`/block/query/MatMul` → `block.query`).
 */
export function layerOf(parameter: string, readers: Readers): string {
  const reader = readers.get(parameter)?.[0]?.[0];
  const scope = isAnonymous(parameter) && reader !== undefined ? scopeOf(reader) : null;
  if (scope !== null) return scope;
  const end = parameter.lastIndexOf('.');
  return end > 0 ? parameter.slice(0, end) : parameter;
}
