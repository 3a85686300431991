import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GraphBuilder } from '../../src/graph/builder.js';
import { writeOnnx } from '../../src/onnx/index.js';
import { npzFile } from './npz.js';
import { randomFrom } from './samples.js';

const [examples, positions, inputs, hidden, vocabulary] = [9, 5, 3, 4, 6] as const;

/** K */
const size = inputs * hidden + hidden * vocabulary;

/** Label of what does not count. */
const ignored = -100;

/** A recorded run of a network whose positions see each other, written into a folder, and what its losses must be. */
export interface TokenRun {
  /** `model.onnx`, `trajectory.npz` and `data.npz`. */
  readonly files: { readonly model: string; readonly trajectory: string; readonly data: string };
  readonly examples: number;
  readonly positions: number;
  readonly vocabulary: number;
  /** Rows of θ. */
  readonly rows: number;
  /** Labels [examples · positions], some of them −100. */
  readonly labels: Int32Array;
  /** θ [K] of a row. */
  readonly theta: (row: number) => Float32Array;
  /** Logits [examples · positions][vocabulary] at a row of θ. */
  readonly logits: (row: number) => number[][];
  /** −log p of each label at a row of θ [examples · positions]; 0 of those that do not count. */
  readonly surprises: (row: number) => Float64Array;
}

/** Logits tanh(x W + mean over positions of x W) U, of labels [N, T] in six classes, a few of which do not count. */
export function writeTokenRun(folder: string, rows: number): TokenRun {
  const random = randomFrom(11);
  const theta = Float32Array.from({ length: rows * size }, () => 2 * random() - 1);
  for (let k = size; k < theta.length; k++) theta[k] = theta[k - size]! + 0.2 * theta[k]!;
  const x = Float32Array.from({ length: examples * positions * inputs }, () => 2 * random() - 1);
  const labels = Int32Array.from({ length: examples * positions }, (_, k) =>
    k % 7 === 3 ? ignored : Math.floor(random() * vocabulary),
  );
  const path = (name: string): string => join(folder, name);
  writeFileSync(path('model.onnx'), writeOnnx(network(), theta.subarray(0, size)));
  writeFileSync(path('trajectory.npz'), npzFile({ theta: { data: theta, shape: [rows, size] } }));
  const data = {
    x: { data: x, shape: [examples, positions, inputs] },
    y: { data: labels, shape: [examples, positions] },
  };
  writeFileSync(path('data.npz'), npzFile(data));
  const rowOf = (row: number): Float32Array => theta.subarray(row * size, (row + 1) * size);
  return {
    theta: rowOf,
    files: { model: path('model.onnx'), trajectory: path('trajectory.npz'), data: path('data.npz') },
    examples,
    positions,
    vocabulary,
    rows,
    labels,
    logits: (row) => logitsAt(rowOf(row), x),
    surprises: (row) =>
      Float64Array.from(logitsAt(rowOf(row), x), (logits, k) => surprise(logits, labels[k]!)),
  };
}

function network() {
  const builder = new GraphBuilder('tokens');
  const parameter = (name: string, shape: number[]) =>
    builder.parameter(name, shape, { layer: name[0]!, neuronAxis: 1, initializer: { kind: 'zeros' } });
  const [first, second] = [
    parameter('w.weight', [inputs, hidden]),
    parameter('u.weight', [hidden, vocabulary]),
  ];
  const x = builder.input('x', 'float32', [1, positions, inputs]);
  const own = builder.apply('MatMul', [x, first]);
  const mean = builder.apply('ReduceMean', [own], { axes: [1], keepdims: 1 });
  const h = builder.apply('Tanh', [builder.apply('Add', [own, mean])]);
  return builder.build([builder.apply('MatMul', [h, second])]);
}

/** The same in plain loops. */
function logitsAt(theta: Float32Array, x: Float32Array): number[][] {
  return Array.from({ length: examples }, (_, n) => {
    const own = Array.from({ length: positions }, (__, t) =>
      Array.from({ length: hidden }, (___, h) => {
        let total = 0;
        for (let i = 0; i < inputs; i++)
          total += x[(n * positions + t) * inputs + i]! * theta[i * hidden + h]!;
        return total;
      }),
    );
    return own.map((at) => {
      const h = at.map((value, k) =>
        Math.tanh(value + own.reduce((sum, row) => sum + row[k]!, 0) / positions),
      );
      return Array.from({ length: vocabulary }, (__, v) =>
        h.reduce((sum, value, k) => sum + value * theta[inputs * hidden + k * vocabulary + v]!, 0),
      );
    });
  }).flat();
}

/** −log p of a label; 0 of one that does not count. */
function surprise(logits: readonly number[], label: number): number {
  if (label === ignored) return 0;
  return Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0)) - logits[label]!;
}
