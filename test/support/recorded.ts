import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GraphBuilder } from '../../src/graph/builder.js';
import { writeOnnx } from '../../src/onnx/index.js';
import { npzFile } from './npz.js';
import { encodeSafetensors } from './safetensors.js';
import { randomFrom } from './samples.js';

const [examples, inputs, hidden, classes] = [400, 60, 40, 5];

/** Tensors of the network, in order. */
export const tensors = [
  { name: 'a.weight', shape: [hidden, inputs] },
  { name: 'a.bias', shape: [hidden] },
  { name: 'b.weight', shape: [classes, hidden] },
  { name: 'b.bias', shape: [classes] },
] as const;

/** K */
export const size = hidden * inputs + hidden + classes * hidden + classes;

/** A trajectory that wanders, and random data, for a network of two layers. */
export interface RecordedRun {
  /** [rows, K] */
  readonly theta: Float32Array;
  /** [400, 60] */
  readonly x: Float32Array;
  /** [400], five classes */
  readonly y: Int32Array;
}

/** Makes such a run, and writes model.onnx, trajectory.safetensors (stacked) and data.npz into a folder. */
export function writeRecordedRun(folder: string, rows: number): RecordedRun {
  const random = randomFrom(7);
  const theta = Float32Array.from({ length: rows * size }, () => random() - 0.5);
  for (let k = size; k < theta.length; k++) theta[k] = theta[k - size]! + 0.05 * theta[k]!;
  const x = Float32Array.from({ length: examples * inputs }, random);
  const y = Int32Array.from({ length: examples }, () => Math.floor(random() * classes));
  writeFileSync(join(folder, 'model.onnx'), writeOnnx(network(), theta.subarray(0, size)));
  const stacked = { theta: { shape: [rows, size], data: theta } };
  writeFileSync(join(folder, 'trajectory.safetensors'), encodeSafetensors(stacked));
  const data = { x: { data: x, shape: [examples, inputs] }, y: { data: y, shape: [examples] } };
  writeFileSync(join(folder, 'data.npz'), npzFile(data));
  return { theta, x, y };
}

function network() {
  const builder = new GraphBuilder('two');
  const [aWeight, aBias, bWeight, bBias] = tensors.map(({ name, shape }) =>
    builder.parameter(name, shape, { layer: name[0]!, neuronAxis: 0, initializer: { kind: 'zeros' } }),
  );
  const x = builder.input('x', 'float32', [1, inputs]);
  const h = builder.apply('Tanh', [builder.apply('Gemm', [x, aWeight!, aBias!], { transB: 1 })]);
  return builder.build([builder.apply('Gemm', [h, bWeight!, bBias!], { transB: 1 })]);
}

/** Settings of a training of the network and data that `writeRecordedRun` leaves in a folder, with the reference engine. */
export const trainingOf = (folder: string) =>
  ({
    model: join(folder, 'model.onnx'),
    data: join(folder, 'data.npz'),
    divisor: 1,
    batchSize: 20,
    learningRate: 0.2,
    engine: 'reference',
  }) as const;
