import type { MeasuredSplit, SplitLedger } from '../ledger/types.js';
import type { ManifestContent } from './manifest.js';

export type StoredDType = 'float32' | 'float64' | 'int32';
export type StoredNumbers = Float32Array | Float64Array | Int32Array;

/** Series that each split has: those of its ledger, and the sum over all parameters. */
export type SplitField = keyof SplitLedger | 'total';

/** Where an array's numbers come from. */
export type ArraySource =
  /** One chunk file per row, written while the run goes on. */
  | { readonly kind: 'theta' }
  | { readonly kind: 'allocation' | 'neurons'; readonly split: MeasuredSplit }
  /** Written when training ends. */
  | { readonly kind: 'order' }
  /** Small; in the journal until measuring ends. */
  | { readonly kind: 'split'; readonly split: MeasuredSplit; readonly field: SplitField }
  | { readonly kind: 'segment'; readonly field: 'subintervals' | 'evaluations' };

/** One array of ledger.zarr. */
export interface ArraySpec {
  /** Path inside ledger.zarr, such as `loss/train`. */
  readonly name: string;
  readonly dtype: StoredDType;
  /** One or two extents; the first counts rows. */
  readonly shape: readonly number[];
  readonly dimensions: readonly string[];
  /** The loss's, such as `nats`; `1` for counts and parameters. */
  readonly unit: string;
  readonly description: string;
  /** Rows of one chunk file. */
  readonly chunkRows: number;
  /** Compressed with Zstandard level 1. Parameters hardly shrink; allocations do, by their zeros. */
  readonly compressed: boolean;
  readonly source: ArraySource;
}

/** Size that chunks of many rows are cut to. */
const chunkBytes = 2 ** 20;

export const bytesOf: Readonly<Record<StoredDType, number>> = { float32: 4, float64: 8, int32: 4 };

/** All arrays of a run, whether filled already or not. */
export function arraysOf(manifest: ManifestContent): ArraySpec[] {
  return [
    thetaArray(manifest),
    ...orderArray(manifest),
    ...manifest.splits.flatMap((split) => splitArrays(manifest, split)),
    segmentArray(manifest, 'subintervals', 'subintervals of the quadrature rule'),
    segmentArray(manifest, 'evaluations', 'points of the segment where loss and gradient were evaluated, ends counted'),
  ]; // prettier-ignore
}

/** Numbers in one row. */
export function widthOf({ shape }: ArraySpec): number {
  return shape[1] ?? 1;
}

/** Shape of one chunk file. */
export function chunkShapeOf({ shape, chunkRows }: ArraySpec): number[] {
  return [chunkRows, ...shape.slice(1)];
}

/** Path inside the run folder of the chunk file that begins with row `chunk · chunkRows`. */
export function chunkPath({ name, shape }: ArraySpec, chunk: number): string {
  return `ledger.zarr/${name}/c.${[chunk, ...shape.slice(1).map(() => 0)].join('.')}`;
}

export function emptyRow(dtype: StoredDType, length: number): StoredNumbers {
  if (dtype === 'float32') return new Float32Array(length).fill(NaN);
  return dtype === 'float64' ? new Float64Array(length).fill(NaN) : new Int32Array(length);
}

function rowsPerChunk(shape: readonly number[], dtype: StoredDType): number {
  const rowBytes = (shape[1] ?? 1) * bytesOf[dtype];
  return Math.max(1, Math.min(shape[0]!, Math.floor(chunkBytes / rowBytes)));
}

function thetaArray({ parameters, trajectory }: ManifestContent): ArraySpec {
  return {
    name: 'theta',
    dtype: 'float32',
    shape: [trajectory.iterations + 1, sizeOf(parameters)],
    dimensions: ['row', 'parameter'],
    unit: '1',
    description: 'parameter vector at the start of each segment, and at the end of the last',
    chunkRows: 1,
    compressed: false,
    source: { kind: 'theta' },
  };
}

function orderArray({ trajectory: { iterations, batchSize } }: ManifestContent): ArraySpec[] {
  if (batchSize === null) return [];
  const shape = [iterations, batchSize];
  return [
    {
      name: 'order',
      dtype: 'int32',
      shape,
      dimensions: ['iteration', 'example'],
      unit: '1',
      description: 'training examples of each mini-batch, as indices into the training split',
      chunkRows: rowsPerChunk(shape, 'int32'),
      compressed: false,
      source: { kind: 'order' },
    },
  ];
}

function sizeOf(parameters: ManifestContent['parameters']): number {
  return parameters.reduce((total, { size }) => total + size, 0);
}

function splitArrays(manifest: ManifestContent, split: MeasuredSplit): ArraySpec[] {
  const { keep, layers, parameters, trajectory, objective } = manifest;
  const T = trajectory.iterations;
  const neurons = layers.reduce((total, layer) => total + layer.neurons, 0);
  const of = `of the ${split} loss`;
  const { unit = 'nats' } = manifest.objective;
  const rows = { dimensions: ['segment', 'parameter'], unit, chunkRows: 1 };
  const layered = { shape: [T, layers.length], dimensions: ['segment', 'layer'] };
  const series = (name: string, field: SplitField, description: string, more: Partial<ArraySpec> = {}) =>
    seriesArray({
      name: `${name}/${split}`,
      shape: [T],
      unit,
      description,
      source: { kind: 'split', split, field },
      ...more,
    });
  return [
    ...(keep === 'parameters' ? [{ ...rows, name: `allocation/${split}`, dtype: objective.precision, shape: [T, sizeOf(parameters)], description: `allocation of each parameter ${of}; negative helps`, compressed: true, source: { kind: 'allocation' as const, split } }] : []),
    ...(keep !== 'layers' && neurons > 0 ? [{ ...rows, name: `sums/neuron/${split}`, dimensions: ['segment', 'neuron'], dtype: 'float64' as const, shape: [T, neurons], description: `allocation of each neuron ${of}, layer by layer`, compressed: false, source: { kind: 'neurons' as const, split } }] : []),
    series('loss', 'loss', `${split} loss at each row of theta`, { shape: [T + 1], dimensions: ['row'] }),
    series('sums/layer', 'layerSums', `allocation of each layer ${of}`, layered),
    series('sums/total', 'total', `allocation of all parameters ${of}`),
    series('residual', 'residual', `sum of the allocations less the change ${of}`),
    series('left_residual', 'leftResidual', `the same for the left rule (first order)`),
    ...(['helping', 'hurting', 'zero'] as const).map((sign) =>
      series(`counts/${sign}`, sign, `parameters of each layer whose allocation ${of} is ${signs[sign]}`, { ...layered, dtype: 'int32', unit: '1' }),
    ),
  ]; // prettier-ignore
}

const signs = { helping: 'below zero', hurting: 'above zero', zero: 'exactly zero' };

function segmentArray(
  { trajectory }: ManifestContent,
  field: 'subintervals' | 'evaluations',
  description: string,
) {
  const source = { kind: 'segment', field } as const;
  return seriesArray({ name: field, dtype: 'int32', shape: [trajectory.iterations], unit: '1', description, source }); // prettier-ignore
}

function seriesArray(spec: Pick<ArraySpec, 'name' | 'shape' | 'unit' | 'description' | 'source'> & Partial<ArraySpec>): ArraySpec {
  const { dtype = 'float64', shape } = spec;
  return { dimensions: ['segment'], compressed: false, ...spec, dtype, chunkRows: rowsPerChunk(shape, dtype) };
} // prettier-ignore
