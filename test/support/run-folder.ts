import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ManifestContent } from '../../src/format/manifest.js';
import { allocate } from '../../src/ledger/allocate.js';
import { atomCount, setSlopes } from '../../src/ledger/atoms.js';
import { ledgerRow } from '../../src/ledger/columns.js';
import { type LaidTensor, layoutOf } from '../../src/ledger/layout.js';
import type { MeasuredSegment } from '../../src/ledger/measure-range.js';
import type { ParameterLayout } from '../../src/ledger/types.js';
import { createRunFolder } from '../../src/store/open.js';
import type { RunWriter } from '../../src/store/writer.js';

const hash = 'a'.repeat(64);

/** Two layers of which one has a tensor outside its neurons; so wide that allocations have a chunk a segment, and sums have not. */
const tensors: LaidTensor[] = [
  { name: 'fc1.weight', shape: [3, 1400], layer: 'fc1', neuronAxis: 0 },
  { name: 'fc1.bias', shape: [3], layer: 'fc1', neuronAxis: 0 },
  { name: 'fc2.weight', shape: [2, 3], layer: 'fc2', neuronAxis: 0 },
  { name: 'fc2.scale', shape: [2], layer: 'fc2', neuronAxis: null },
];

/** A small run's manifest. */
export function smallManifest(
  iterations: number,
  change: Partial<ManifestContent> = {},
  laid: readonly LaidTensor[] = tensors,
): ManifestContent {
  const layout = layoutOf(laid);
  return {
    createdBy: '0.0.0',
    config: { model: 'small', iterations, nested: { list: [1, null, 'x'] } },
    definition: {
      loss: 'softmax cross-entropy',
      reduction: 'tokenMean',
      model: 'small',
      dataset: 'made',
      splitHash: hash,
      files: [{ name: 'made', sha256: hash }],
      counts: { train: 100, mine: 20 },
      chunk: 10,
      lanes: 2,
      batchNorm: 'chunk',
      dropout: 'off',
      precision: 'float32',
    },
    parameters: layout.tensors.map((tensor) => ({ ...tensor, shape: [...tensor.shape] })),
    layers: layout.layers.map((name, index) => ({ name, neurons: layout.neurons[index]! })),
    trajectory: { iterations, iteration: null, batchSize: 5 },
    quadrature: { rule: 'simpson', tolerance: 0.001, subintervals: 1, maxSubintervals: 32 },
    keep: 'parameters',
    objectives: [
      { name: 'train', parts: [{ name: 'all', examples: 100 }] },
      {
        name: 'mine',
        parts: [
          { name: 'even', examples: 12 },
          { name: 'odd', examples: 8 },
        ],
      },
    ],
    engine: { name: 'reference', version: '1' },
    seed: 1,
    ...change,
  };
}

/** A number in [-1, 1) that depends on its arguments alone. */
function noise(...key: number[]): number {
  const mixed = key.reduce(
    (state, part) => Math.imul(state ^ (part + 0x9e3779b9), 0x85ebca6b) ^ (state >>> 13),
    17,
  );
  return (Math.imul(mixed, 0xc2b2ae35) >>> 8) / 2 ** 23 - 1;
}

/** θ_row [K], the same at each call. */
export function thetaOf(row: number, size: number): Float32Array {
  return Float32Array.from({ length: size }, (_, k) => noise(1, row, k));
}

/** Mini-batch of one iteration [B]. */
export function orderRow(iteration: number, batchSize: number): Int32Array {
  return Int32Array.from({ length: batchSize }, (_, b) => (iteration * batchSize + b) % 100);
}

/** A segment with made-up gradients, the same at each call; a third of the allocations is zero. */
export function segmentOf(content: ManifestContent, segment: number): MeasuredSegment {
  const layout = layoutOf(content.parameters);
  const vector = (tag: number, row = segment) =>
    Float64Array.from({ length: layout.size }, (_, k) => noise(tag, row, k));
  const delta = vector(4).map((value, k) => (k % 3 === 0 ? 0 : value));
  const rows = content.objectives.map(({ parts }, o) => {
    const losses = (row: number) => Float64Array.from(parts, (_, part) => 2 + noise(3, row, o, part));
    const [lossStart, lossEnd] = [losses(segment), losses(segment + 1)];
    const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
    const meanGradient = vector(5 + o);
    return ledgerRow(
      allocate({
        delta,
        meanGradient,
        startGradient: vector(9 + o),
        endGradient: vector(9 + o, segment + 1),
        meanError: (content.quadrature.certify ?? null) === null ? null : vector(13 + o),
        lossStart: sum(lossStart),
        lossEnd: sum(lossEnd),
        parts: { lossStart, lossEnd, ...partsOf(delta, meanGradient, parts.length, layout) },
        layout,
        subintervals: 1 + (segment % 2),
        evaluations: 3 + 2 * (segment % 2),
      }),
    );
  });
  return { segment, rows };
}

/** A gradient [K] split among parts: each but the last takes a quarter of it. */
function partsOf(delta: Float64Array, whole: Float64Array, count: number, layout: ParameterLayout) {
  const strips = layout.atoms.neuronAxis;
  const atoms = atomCount(strips);
  const atomSums = new Float64Array(count * atoms);
  const meanGradient = new Float64Array(count * whole.length);
  for (let part = 0; part < count; part++) {
    const own = meanGradient.subarray(part * whole.length, (part + 1) * whole.length);
    const share = part < count - 1 ? 0.25 : 1 - 0.25 * (count - 1);
    own.set(whole.map((value) => share * value));
    setSlopes(atomSums.subarray(part * atoms, (part + 1) * atoms), delta, own, strips);
  }
  return { atomSums, meanGradient, gradients: null };
}

/** Does what is missing, as a resumed run does: training is replayed from the start. */
export async function finish(run: RunWriter, content: ManifestContent): Promise<void> {
  await train(run, content);
  for (const { from, to } of run.unmeasured()) {
    for (let segment = from; segment < to; segment++) await run.commitSegment(segmentOf(content, segment));
  }
  await run.flush();
}

export async function train(run: RunWriter, content: ManifestContent): Promise<void> {
  const { iterations, batchSize } = content.trajectory;
  for (let row = 0; row <= iterations; row++) await run.writeTheta(row, thetaOf(row, run.layout.size));
  const order = Array.from({ length: iterations }, (_, iteration) => orderRow(iteration, batchSize ?? 0));
  await run.finishTraining(batchSize === null ? {} : { order }, { steps: iterations });
}

/** A new folder that does not exist yet, inside one that is removed by `remove`. */
export function temporaryFolder(): { run: string; parent: string; remove: () => void } {
  const parent = mkdtempSync(join(tmpdir(), 'lossledger-'));
  return { run: join(parent, 'run'), parent, remove: () => { rmSync(parent, { recursive: true, force: true }); } }; // prettier-ignore
}

/** Writes a whole run. */
export async function completeRun(folder: string, content: ManifestContent): Promise<void> {
  const run = await createRunFolder(folder, content);
  await finish(run, content);
  await run.close();
}

/** All files of a folder by path, except those named. */
export function filesOf(folder: string, except: readonly string[] = []): Map<string, Buffer> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const named = paths.map((path) => [path.slice(folder.length + 1), readFileSync(path)] as const);
  return new Map(named.filter(([path]) => !except.includes(path)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** SHA-256 of all that must not depend on when a run was interrupted, by path: what bytes are compared by. */
export function lastingOf(folder: string): Record<string, string> {
  const files = filesOf(folder, ['journal', 'lock']);
  return Object.fromEntries(
    [...files].map(([path, bytes]) => [path, createHash('sha256').update(bytes).digest('hex')]),
  );
}

/** All items of a stream. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
