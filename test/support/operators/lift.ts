import type { Attributes, Shape } from '../../../src/graph/types.js';
import type { ApplicationSpec, InputSpec } from './spec.js';

/** An operator applied to a chunk: inputs marked `hasExamples` have the chunk's N examples on axis 0. */
export interface ChunkApplication {
  readonly op: string;
  readonly inputs: readonly (ChunkInput | null)[];
  readonly attributes: Attributes;
  readonly outputs?: number;
}

export interface ChunkInput {
  readonly spec: InputSpec;
  readonly hasExamples: boolean;
}

const kept = (spec: InputSpec): ChunkInput => ({ spec, hasExamples: false });
const withShape = (spec: InputSpec, shape: Shape): ChunkInput => ({
  spec: { ...spec, shape },
  hasExamples: true,
});

/** Operators whose first input has examples on axis 0 as it is; the loss has its labels there too. */
const batchFirst: ReadonlySet<string> = new Set([
  'Conv',
  'ConvTranspose',
  'MaxPool',
  'AveragePool',
  'GlobalAveragePool',
  'BatchNormalization',
  'BatchNormTraining',
  'LayerNormalization',
  'InstanceNormalization',
  'GroupNormalization',
  'SoftmaxCrossEntropyLoss',
  'Gemm',
  'Flatten',
]);

const isMatrixProduct = (op: string, inputs: readonly (InputSpec | null)[]): boolean =>
  op === 'MatMul' && inputs.every((input) => input?.shape.length === 2);

/** The application with N examples where there were some already; null where its first axis is something else. */
function resized(op: string, spec: ApplicationSpec, examples: number): ChunkApplication | null {
  const { attributes } = spec;
  const foreign = attributes['transA'] === 1 || (op === 'Gemm' && hasRows(spec)) || attributes['axis'] === 0;
  if (foreign || (op === 'Flatten' && attributes['axis'] !== 1)) return null;
  const inputs = spec.inputs.map((input, index) => {
    if (input === null) return null;
    const isData = index === 0 || 'dtype' in input;
    return isData ? withShape(input, [examples, ...input.shape.slice(1)]) : kept(input);
  });
  return { ...spec, op, inputs };
}

/** A Gemm whose addend has a row of its own for each row of the product. */
const hasRows = ({ inputs }: ApplicationSpec): boolean => inputs[2]?.shape.length === 2;

/** Equations over a batch letter b. */
function einsum(spec: ApplicationSpec, examples: number): ChunkApplication | null {
  const terms = (spec.attributes['equation'] as string).split('->')[0]!.split(',');
  if (!terms.some((term) => term.startsWith('b'))) return null;
  const inputs = spec.inputs.map((input, index) => {
    if (!terms[index]!.startsWith('b')) return kept(input!);
    return withShape(input!, [examples, ...input!.shape.slice(1)]);
  });
  return { ...spec, op: 'Einsum', inputs };
}

const shifted = (axis: number): number => (axis < 0 ? axis : axis + 1);

const attributeRules: Readonly<
  Record<string, (value: readonly number[], examples: number) => number | number[]>
> = {
  axis: ([axis]) => shifted(axis!),
  axes: (axes) => axes.map(shifted),
  perm: (perm) => [0, ...perm.map((axis) => axis + 1)],
  shape: (shape, examples) => [examples, ...shape],
  repeats: (repeats) => [1, ...repeats],
  pads: (pads) => [...[0, ...pads.slice(0, pads.length / 2)], ...[0, ...pads.slice(pads.length / 2)]],
};

function shiftedAttributes(op: string, spec: ApplicationSpec, examples: number): Attributes {
  const rank = spec.inputs[0]!.shape.length;
  const reduced = op.startsWith('Reduce') && !('axes' in spec.attributes);
  const stated = reduced
    ? { ...spec.attributes, axes: Array.from({ length: rank }, (_, k) => k) }
    : spec.attributes;
  return Object.fromEntries(
    Object.entries(stated).map(([name, value]) => {
      const rule = attributeRules[name];
      return [name, rule ? rule([value].flat() as number[], examples) : value];
    }),
  );
}

/** The application with an axis of N examples put before the axes of its widest inputs. */
function prefixed(op: string, spec: ApplicationSpec, examples: number): ChunkApplication {
  const rankOf = (index: number): number => {
    const isIndex = op === 'Gather' && index === 1;
    return isIndex ? -1 : (spec.inputs[index]?.shape.length ?? -1);
  };
  const rank = Math.max(...spec.inputs.map((_, index) => rankOf(index)));
  // A vector for each example times another one would be a matrix product.
  const isDotProduct = op === 'MatMul' && rank === 1;
  const inputs = spec.inputs.map((input, index) => {
    if (input === null) return null;
    const isWide = rankOf(index) === rank && !('constant' in input) && !(isDotProduct && index === 1);
    return isWide ? withShape(input, [examples, ...input.shape]) : kept(input);
  });
  return { ...spec, op, inputs, attributes: shiftedAttributes(op, spec, examples) };
}

/** The input first gets as many axes as the result. */
function expand(spec: ApplicationSpec, examples: number): ChunkApplication | null {
  const input = spec.inputs[0]!;
  const missing = (spec.attributes['shape'] as number[]).length - input.shape.length;
  if (missing < 0) return null;
  const shape = [...new Array<number>(missing).fill(1), ...input.shape];
  return prefixed('Expand', { ...spec, inputs: [{ ...input, shape }] }, examples);
}

/** The operator on a chunk of N examples, or null where that is not the same operator. */
export function onChunk(op: string, spec: ApplicationSpec, examples: number): ChunkApplication | null {
  if (op === 'Einsum') return einsum(spec, examples);
  if (op === 'Expand') return expand(spec, examples);
  if (batchFirst.has(op) || isMatrixProduct(op, spec.inputs)) return resized(op, spec, examples);
  return prefixed(op, spec, examples);
}
