import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { RunConfigInput } from '../../src/index.js';
import { presets } from '../../src/index.js';
import type { Graph } from '../../src/graph/index.js';
import { readOnnx, type OnnxModel } from '../../src/onnx/index.js';
import { importedModel } from '../../src/models/imported.js';
import { lcaProcess } from '../support/cli.js';
import {
  golden,
  goldenAbsent,
  goldenFile,
  goldenHere,
  mnistHead,
  type GoldenName,
} from '../support/golden.js';
import { npzFile } from '../support/npz.js';
import { encodeSafetensors } from '../support/safetensors.js';
import { randomFrom } from '../support/samples.js';

export const engines = ['reference', 'onnxruntime', 'native'] as const;
export type EngineName = (typeof engines)[number];

/** A run whose numbers are kept. */
export interface ReplayCase {
  readonly name: string;
  readonly engines: readonly EngineName[];
  /** Writes what the run needs into a folder, and says how it is configured. */
  readonly config: (folder: string) => RunConfigInput;
  /** Engines may lack an operator of it; then the baseline leaves them out. */
  readonly refusable?: boolean;
  /** Why it cannot run here. */
  readonly absent?: string | undefined;
}

/** The last chunk is smaller than the others, and one of eight lanes has two chunks. */
const small = { subset: 170, batchSize: 20, iterations: 3, chunk: 20, maxSubintervals: 4 } as const;
/** For networks of which an example takes long; few programs to compile. */
const tiny = { subset: 60, batchSize: 20, iterations: 2, chunk: 20, maxSubintervals: 2 } as const;

const presetCases = (here: ReadonlySet<string>): ReplayCase[] =>
  presets.map(({ name, config }) => ({
    name,
    engines: enginesFor(config),
    refusable: config.model === 'tiny-gpt',
    config: () => ({ ...config, ...(config.model === 'fc' ? small : tiny) }),
    absent: here.has(config.data!) ? undefined : `${config.data!} is not here`,
  }));

/** The optimiser is the same code on every engine: a second one of a large network is tried on one. */
function enginesFor({ model, optimizer }: RunConfigInput): readonly EngineName[] {
  if (model === 'fc') return engines;
  return optimizer === 'adam' ? ['native'] : ['onnxruntime', 'native'];
}

const dense: RunConfigInput = { model: 'fc', data: 'mnist', ...small };

/** Settings that no preset has. */
const settings: Readonly<Record<string, RunConfigInput>> = {
  'left rule': { rule: 'left', tolerance: 'none', keep: 'neurons' },
  'adaptive rule': { rule: 'adaptive', tolerance: 1e-6, learningRate: 0.5, keep: 'layers' },
  'weighted classes, standardised': {
    classWeights: [1, 2, 0.5, 1, 1, 3, 1, 1, 0.25, 1],
    reduction: 'weightedMean',
    standardise: true,
    rule: 'trapezoid',
    subintervals: 3,
  },
  'smoothed labels, decay in the loss': {
    labelSmoothing: 0.1,
    weightDecay: 0.01,
    measureWeightDecay: true,
    optimizer: 'nesterov',
    momentum: 0.9,
    lanes: 3,
  },
  'groups, schedule, clipping': {
    optimizer: 'rmsprop',
    learningRate: 0.01,
    clipNorm: 1,
    schedule: { kind: 'cosine', iterations: 3, warmUp: 1 },
    groups: [
      { match: 'fc1.*', learningRate: 0.002 },
      { match: 'fc3.*', frozenFrom: 1 },
    ],
    tolerance: 1e-5,
  },
};

const settingsCases = Object.entries(settings).map(([name, more]): ReplayCase => ({
  name,
  engines,
  config: () => ({ ...dense, ...more }),
}));

/** Simpson's rule on what the folder holds. */
const measured = { rule: 'simpson', subintervals: 2, tolerance: 'none' } as const;

const goldenCases = (['mlp', 'cnn', 'resnet'] as const).map((name): ReplayCase => ({
  name: `golden ${name}`,
  engines,
  config: (folder) => goldenConfig(name, folder),
  absent: goldenHere(name) ? undefined : goldenAbsent,
}));

function goldenConfig(name: GoldenName, folder: string): RunConfigInput {
  const { definition } = golden(name);
  const count = definition.examples;
  const { images, labels } = mnistHead(count);
  const x = { data: Float32Array.from(images, (pixel) => pixel / 255), shape: [count, 1, 28, 28] };
  const data = join(folder, 'data.npz');
  writeFileSync(data, npzFile({ x, y: { data: labels, shape: [count] } }));
  return {
    model: goldenFile(name, 'model.onnx'),
    trajectory: goldenFile(name, 'case.safetensors'),
    data,
    chunk: definition.batchStatisticsChunk,
    ...measured,
  };
}

const exportedFolder = resolve(import.meta.dirname, '../golden/pytorch');

/** What stands beside a network that PyTorch exported. */
interface Exported {
  readonly examples: number;
  readonly input: readonly number[];
  readonly labels: readonly number[];
  readonly shapes: Readonly<Record<string, readonly number[]>>;
}

const exportedCases = readdirSync(exportedFolder)
  .filter((file) => file.endsWith('.onnx'))
  .map((file) => file.replace('.onnx', ''))
  .map((name): ReplayCase => ({
    name: `exported ${name}`,
    engines,
    refusable: true,
    config: (folder) => exportedConfig(name, folder),
  }));

/** One random step away from the exported parameters. */
function exportedConfig(name: string, folder: string): RunConfigInput {
  const model = join(exportedFolder, `${name}.onnx`);
  const { examples, input, labels, shapes } = JSON.parse(
    readFileSync(join(exportedFolder, `${name}.json`), 'utf8'),
  ) as Exported;
  const size = Object.values(shapes).reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const network = readOnnx(readFileSync(model), { evidence: { size } });
  const random = randomFrom(5);
  const parameters = parametersOf(network);
  const first = parameters.flatMap(({ initializer }) =>
    initializer.kind === 'values' ? [...initializer.data] : [],
  );
  const theta = Float32Array.of(...first, ...first.map((value) => value + 0.02 * (random() - 0.5)));
  writeFileSync(
    join(folder, 'trajectory.safetensors'),
    encodeSafetensors({ theta: { shape: [2, size], data: theta } }),
  );
  const numbers = network.inputDType === 'float32' ? Float32Array.from(input) : Int32Array.from(input);
  const x = { data: numbers, shape: [examples, ...network.inputShape] };
  writeFileSync(
    join(folder, 'data.npz'),
    npzFile({ x, y: { data: Int32Array.from(labels), shape: [examples] } }),
  );
  return {
    model,
    trajectory: join(folder, 'trajectory.safetensors'),
    data: join(folder, 'data.npz'),
    names: parameters.map(({ value }) => value.name),
    divisor: 1,
    chunk: examples,
    ...measured,
  };
}

/** The parameters of a model file, in its order. */
function parametersOf(network: OnnxModel): Graph['parameters'] {
  const transform = { dtype: 'float32', divisor: 1, mean: [], std: [] } as const;
  return importedModel(network).build({ examples: 1, training: false, transform }).parameters;
}

export async function allCases(): Promise<ReplayCase[]> {
  return [...presetCases(await dataHere()), ...settingsCases, ...goldenCases, ...exportedCases];
}

/** Names of the data sets that are on this machine. */
async function dataHere(): Promise<ReadonlySet<string>> {
  const { stdout } = await lcaProcess(['data', 'list', '--json']);
  const sets = JSON.parse(stdout) as { name: string; here: boolean }[];
  return new Set(sets.filter(({ here }) => here).map(({ name }) => name));
}
