import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { differentiate } from '../../src/autodiff/index.js';
import { onnxruntimeEngine } from '../../src/engines/onnxruntime/index.js';
import { NativeEngine } from '../../src/engines/native/index.js';
import { referenceEngine } from '../../src/engines/reference/index.js';
import type { Engine, Feeds } from '../../src/engines/types.js';
import { attachLoss } from '../../src/graph/loss.js';
import { readOnnx } from '../../src/onnx/index.js';
import { sizeOf, type Graph } from '../../src/graph/types.js';
import { importedModel } from '../../src/models/imported.js';
import { relativeDeviation } from '../support/golden.js';

/** What generate.py wrote beside a network. */
interface Expectation {
  readonly examples: number;
  readonly input: readonly number[];
  readonly labels: readonly number[];
  readonly loss: number;
  readonly gradient: Readonly<Record<string, readonly number[]>>;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
}

const folder = join(import.meta.dirname, 'pytorch');
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.onnx'))
  .map((file) => file.replace('.onnx', ''));

function load(name: string): { model: ReturnType<typeof readOnnx>; expected: Expectation } {
  const expected = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Expectation;
  const size = Object.values(expected.shapes).reduce((total, shape) => total + sizeOf(shape), 0);
  const model = readOnnx(readFileSync(join(folder, `${name}.onnx`)), { evidence: { size } });
  return { model, expected };
}

/** The network with its loss, and what it is fed: numbers, or tokens. */
function problemOf(name: string): { graph: Graph; feeds: Feeds; expected: Expectation } {
  const { model, expected } = load(name);
  const tokens = model.inputDType !== 'float32';
  const transform = { dtype: tokens ? 'int32' : 'float32', divisor: 1, mean: [], std: [] } as const;
  const forward = importedModel(model).build({ examples: expected.examples, training: false, transform });
  const x = tokens ? Int32Array.from(expected.input) : Float32Array.from(expected.input);
  const graph = differentiate(attachLoss(forward, { loss: 'softmaxCrossEntropy' }));
  return { graph, feeds: { x, labels: Int32Array.from(expected.labels) }, expected };
}

async function evaluate(engine: Engine, graph: Graph, feeds: Feeds): Promise<[number, Float64Array]> {
  const start = graph.parameters.flatMap(({ initializer }) =>
    initializer.kind === 'values' ? [...initializer.data] : [],
  );
  const program = await engine.compile(graph);
  program.load(Float64Array.from(start));
  const gradient = new Float64Array(start.length);
  const loss = await program.run(feeds, gradient);
  await program.dispose();
  return [loss, gradient];
}

const native = new NativeEngine();
const absence = await native.available();

/** The operator of each network that the native engine refuses. */
const refused: Readonly<Record<string, string>> = {
  localresponse: 'AveragePool',
  sampled: 'Gather',
  volume: 'Conv',
};

/** float32 weights and inputs are exact in both, so that the reference differs by rounding of constants alone. */
const engines = [
  { engine: referenceEngine, bound: 1e-7 },
  { engine: onnxruntimeEngine('cpu'), bound: 1e-5 },
  { engine: native, bound: 1e-5 },
];

describe.each(names)('the network %s, as PyTorch exports it', (name) => {
  it('keeps the names, shapes and order of its parameters', () => {
    const { graph, expected } = problemOf(name);
    const shapes = graph.parameters.map(({ value }) => [value.name, value.shape] as const);
    expect(shapes).toEqual(Object.entries(expected.shapes));
  });

  it.for(engines)(
    'has the loss and gradient of PyTorch in float64 on $engine.name',
    async ({ engine, bound }, { skip }) => {
      const { graph, feeds, expected } = problemOf(name);
      if (engine === native && !absence.ok) skip(absence.reason);
      if (engine instanceof NativeEngine && name in refused) {
        await expect(engine.compile(graph)).rejects.toThrow(refused[name]);
        return;
      }
      const [loss, gradient] = await evaluate(engine, graph, feeds);
      expect(Math.abs(loss / expected.loss - 1)).toBeLessThan(bound);
      const all = graph.parameters.flatMap(({ value }) => expected.gradient[value.name]!);
      expect(relativeDeviation(gradient, all)).toBeLessThan(bound);
    },
  );
});
