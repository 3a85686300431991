import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkConfig } from '../../src/experiment/config/file.js';
import type { RunConfigInput } from '../../src/experiment/config/schema.js';
import { estimateMemory } from '../../src/experiment/cost/memory.js';
import { openExperiment } from '../../src/experiment/experiment.js';
import { GraphBuilder } from '../../src/graph/builder.js';
import { writeOnnx } from '../../src/onnx/index.js';
import { temporaryFolder } from '../support/cli.js';
import { npzFile } from '../support/npz.js';

const [count, wide] = [500, 60_000] as const;
const folder = temporaryFolder();
const theta = Float32Array.from({ length: 6 * wide }, (_, k) => Math.sin(k) + Math.floor(k / (3 * wide)));
writeFileSync(join(folder, 'theta.npz'), npzFile({ theta: { data: theta, shape: [2, 3 * wide] } }));
const x = Float32Array.from({ length: count }, (_, n) => n / count);
const y = Int32Array.from({ length: count }, (_, n) => n % 2);
const data = { x: { data: x, shape: [count, 1] }, y: { data: y, shape: [count] } };
writeFileSync(join(folder, 'data.npz'), npzFile(data));

/** One number to so many that 500 examples of them take far more than a gigabyte, to two; `mixing`: each less the mean of its chunk. */
function writeNetwork(mixing: boolean): string {
  const builder = new GraphBuilder('wide');
  const parameter = (name: string, shape: number[]) =>
    builder.parameter(name, shape, { layer: name, neuronAxis: 1, initializer: { kind: 'zeros' } });
  const [u, v] = [parameter('u', [1, wide]), parameter('v', [wide, 2])];
  const given = builder.apply('MatMul', [builder.input('x', 'float32', [1, 1]), u]);
  const mean = () => builder.apply('ReduceMean', [given], { axes: [0], keepdims: 1 });
  const h = builder.apply('Tanh', [mixing ? builder.apply('Sub', [given, mean()]) : given]);
  const path = join(folder, mixing ? 'mixing.onnx' : 'wide.onnx');
  writeFileSync(path, writeOnnx(builder.build([builder.apply('MatMul', [h, v])]), theta.subarray(0, 3 * wide))); // prettier-ignore
  return path;
}

function open(mixing: boolean, more: RunConfigInput = {}) {
  const files = { model: writeNetwork(mixing), trajectory: join(folder, 'theta.npz'), data: join(folder, 'data.npz') }; // prettier-ignore
  return openExperiment(checkConfig({ ...files, engine: 'reference', ...more }, 'the test'));
}

it('chunks of an exported network are as large as fits half a gigabyte on two workers', async () => {
  const experiment = await open(false);
  const [used, twice] = [experiment.chunk, 2 * experiment.chunk];
  expect(used).toBeLessThan(count);
  expect(estimateMemory(experiment, 2).total).toBeLessThan(0.75e9);
  expect(estimateMemory(experiment, 2, twice).total).toBeGreaterThan(0.5e9);
});

it('chunks stay as they are where the user says so, and where the loss depends on them', async () => {
  expect((await open(false, { chunk: 300 })).chunk).toBe(300);
  expect((await open(true)).chunk).toBe(500);
});
