import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { differentiate } from '../../src/autodiff/index.js';
import { NativeEngine } from '../../src/engines/native/index.js';
import { referenceEngine } from '../../src/engines/reference/index.js';
import type { Engine } from '../../src/engines/types.js';
import { attachLoss } from '../../src/graph/loss.js';
import { importedModel } from '../../src/models/imported.js';
import { readOnnx } from '../../src/onnx/index.js';

/*
 * One example may be on any axis of extent 1: what a network says of its axes has to be enough. The last chunk of a data set may be one example.
 */
interface Expectation {
  readonly examples: number;
  readonly input: readonly number[];
  readonly labels: readonly number[];
  readonly shapes: Readonly<Record<string, readonly number[]>>;
}

const folder = join(import.meta.dirname, '../golden/pytorch');
const refused = new Set(['localresponse', 'sampled', 'volume']);
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.onnx'))
  .map((file) => file.replace('.onnx', ''))
  .filter((name) => !refused.has(name));

const native = new NativeEngine();
const absence = await native.available();

/** Loss and gradient of the first example. */
async function evaluate(name: string, engine: Engine): Promise<[number, Float64Array]> {
  const { examples, input, labels, shapes } = JSON.parse(
    readFileSync(join(folder, `${name}.json`), 'utf8'),
  ) as Expectation;
  const size = Object.values(shapes).reduce((total, shape) => total + shape.reduce((a, b) => a * b, 1), 0);
  const model = readOnnx(readFileSync(join(folder, `${name}.onnx`)), { evidence: { size } });
  const tokens = model.inputDType !== 'float32';
  const transform = { dtype: tokens ? 'int32' : 'float32', divisor: 1, mean: [], std: [] } as const;
  const forward = importedModel(model).build({ examples: 1, training: false, transform });
  const graph = differentiate(attachLoss(forward, { loss: 'softmaxCrossEntropy' }));
  const first = input.slice(0, input.length / examples);
  const x = tokens ? Int32Array.from(first) : Float32Array.from(first);
  const theta = graph.parameters.flatMap(({ initializer }) =>
    initializer.kind === 'values' ? [...initializer.data] : [],
  );
  const program = await engine.compile(graph);
  program.load(Float64Array.from(theta));
  const gradient = new Float64Array(theta.length);
  const loss = await program.run(
    { x, labels: Int32Array.from(labels.slice(0, labels.length / examples)) },
    gradient,
  );
  await program.dispose();
  return [loss, gradient];
}

describe.skipIf(!absence.ok)('a chunk of one example on the native engine', () => {
  it.each(names)('has the loss and gradient of the reference: %s', async (name) => {
    const [loss, gradient] = await evaluate(name, native);
    const [expected, right] = await evaluate(name, referenceEngine);
    expect(Math.abs(loss / expected - 1)).toBeLessThan(1e-5);
    const largest = right.reduce((most, component) => Math.max(most, Math.abs(component)), 0);
    const deviation = right.reduce(
      (most, component, k) => Math.max(most, Math.abs(component - gradient[k]!)),
      0,
    );
    expect(deviation / largest).toBeLessThan(1e-5);
  });
});
