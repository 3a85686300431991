import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { smallNetwork } from '../../../../test/support/small-network.js';
import { chooseEngine } from '../../registry.js';
import { EngineError } from '../../../errors.js';
import { generateModule } from '../emit/module.js';
import { NativeEngine } from '../index.js';
import { lowerToSteps } from '../lower/index.js';
import { findCompiler } from './compiler.js';
import { targetNamed } from './target.js';

const isHere = findCompiler().compiler !== null;
if (!isHere) console.log('skipped where a compiler is needed: there is none');

const folder = mkdtempSync(join(tmpdir(), 'lossledger-toolchain-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

let count = 0;
const fresh = (): string => join(folder, `cache${count++}`);

/** A compiler that answers when it is asked what it is, and does as told by `lines` when it is to compile. */
function compilerThat(lines: string): string {
  const path = join(folder, `compiler${count++}`);
  const script = `#!/bin/sh\ncase "$*" in *-dM*) exec cc "$@";; esac\n${lines}\n`;
  writeFileSync(path, script, { mode: 0o755 });
  return path;
}

async function lossOf(engine: NativeEngine): Promise<number> {
  const { graph, theta, feeds } = smallNetwork();
  const program = await engine.compile(graph);
  program.load(theta);
  const loss = await program.run(feeds);
  await program.dispose();
  return loss;
}

const compile = (cacheFolder: string, options = {}): Promise<number> =>
  lossOf(new NativeEngine({ cacheFolder, ...options }));

const libraryIn = (cache: string): string => join(cache, readdirSync(cache)[0]!);

describe.skipIf(!isHere)('the cache of compiled libraries', () => {
  it('is closed to others, and used again', async () => {
    const cache = fresh();
    const log = join(folder, 'compilations');
    const compiler = compilerThat(`echo once >> ${log}\nexec cc "$@"`);
    const loss = await compile(cache, { compiler });
    expect(await compile(cache, { compiler })).toBe(loss);
    expect(readFileSync(log, 'utf8')).toBe('once\n');
    expect(statSync(cache).mode & 0o777).toBe(0o700);
    expect(readdirSync(cache)).toHaveLength(1);
    expect(statSync(libraryIn(cache)).mode & 0o077).toBe(0);
  });

  it('notices a changed byte, and compiles again', async () => {
    const cache = fresh();
    const loss = await compile(cache);
    const path = libraryIn(cache);
    const intact = readFileSync(path);
    // Not in place: the library is mapped into this process.
    rmSync(path);
    writeFileSync(
      path,
      Uint8Array.from(intact, (byte, k) => (k === 5000 ? byte ^ 1 : byte)),
      { mode: 0o700 },
    );
    expect(await compile(cache)).toBe(loss);
    expect(readdirSync(cache)).toHaveLength(1);
    expect(readFileSync(libraryIn(cache)).equals(intact)).toBe(true);
  });

  it('does not load what a link stands for', async () => {
    const cache = fresh();
    const loss = await compile(cache);
    const path = libraryIn(cache);
    const elsewhere = join(folder, 'elsewhere.so');
    writeFileSync(elsewhere, readFileSync(path));
    rmSync(path);
    symlinkSync(elsewhere, path);
    expect(await compile(cache)).toBe(loss);
    expect(statSync(libraryIn(cache)).ino).not.toBe(statSync(elsewhere).ino);
  });

  it('is refused where others may write, or as a link', async () => {
    const open = fresh();
    mkdirSync(open);
    chmodSync(open, 0o777);
    await expect(compile(open)).rejects.toThrow(/others may write/);
    const link = fresh();
    symlinkSync(open, link);
    await expect(compile(link)).rejects.toThrow(/a link or belongs to somebody else/);
    expect(readdirSync(open)).toEqual([]);
  });

  it.skipIf(process.getuid?.() !== 0)('is refused where it belongs to another user', async () => {
    const foreign = fresh();
    mkdirSync(foreign, { mode: 0o700 });
    chownSync(foreign, 12345, 12345);
    await expect(compile(foreign)).rejects.toThrow(/belongs to somebody else/);
  });

  it('is closed where others could read it', async () => {
    const readable = fresh();
    mkdirSync(readable, { mode: 0o755 });
    await compile(readable);
    expect(statSync(readable).mode & 0o777).toBe(0o700);
  });

  it('serves processes that compile the same thing at once', async () => {
    const cache = fresh();
    const script = join(import.meta.dirname, '../../../../test/support/native-child.ts');
    const outputs = await Promise.all(
      [1, 2, 3].map(
        () =>
          new Promise<string>((resolve) => {
            const child = spawn(process.execPath, ['--import', 'tsx', script, cache]);
            let output = '';
            child.stdout.on('data', (text) => (output += String(text)));
            child.stderr.on('data', (text) => (output += String(text)));
            child.on('close', (code) => resolve(`${code}: ${output}`));
          }),
      ),
    );
    expect(outputs).toEqual(new Array(3).fill(`0: ${await compile(cache)}\n`));
    // Each compiled what the others did; the libraries are the same, and nothing else is left.
    expect(readdirSync(cache)).toHaveLength(1);
  });
});

describe('a compiler that', () => {
  const { CC, PATH } = process.env;
  afterEach(() => {
    if (CC === undefined) delete process.env['CC'];
    else process.env['CC'] = CC;
    process.env['PATH'] = PATH;
  });

  it.skipIf(!isHere)('fails gives its message, and auto takes another engine', async () => {
    const compiler = compilerThat('echo "out of cheese" >&2; exit 1');
    const cacheFolder = fresh();
    await expect(compile(cacheFolder, { compiler })).rejects.toThrow(/exit status 1[^]*out of cheese/);
    expect(readdirSync(cacheFolder)).toEqual([]);
    process.env['CC'] = compiler;
    const { engine, passedOver } = await chooseEngine('auto', () => smallNetwork().graph);
    expect(engine.name).toBe('onnxruntime');
    expect(passedOver.join()).toMatch(/native[^]*out of cheese/);
  });

  it.skipIf(!isHere)('hangs is ended after the time limit, its children too', async () => {
    const mark = join(folder, 'still-here');
    const compiler = compilerThat(`(sleep 3; touch ${mark}) &\nsleep 1000`);
    const hanging = compile(fresh(), { compiler, timeLimit: 1 });
    await expect(hanging).rejects.toThrow(/no end after 1 seconds/);
    await expect(hanging).rejects.toBeInstanceOf(EngineError);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(existsSync(mark)).toBe(false);
  });

  it('does not exist leaves the engine unavailable, and auto takes another one', async () => {
    for (const [cc, path] of [
      ['/nonexistent', PATH],
      [undefined, ''],
    ] as const) {
      if (cc === undefined) delete process.env['CC'];
      else process.env['CC'] = cc;
      process.env['PATH'] = path;
      const availability = await new NativeEngine().available();
      expect(availability).toMatchObject({
        ok: false,
        reason: expect.stringMatching(/no C compiler works/) as string,
      });
      await expect(compile(fresh())).rejects.toThrow(/no C compiler works/);
      const { engine, passedOver } = await chooseEngine('auto', () => smallNetwork().graph);
      expect(engine.name).toBe('onnxruntime');
      expect(passedOver.join()).toMatch(/native: no C compiler works/);
    }
  });
});

describe('generated source', () => {
  it('contains no name of the user', () => {
    const hostile = '*/ #include "/etc/passwd" \\ \n ??/ %s " ; system(`x`) /* ';
    const target = targetNamed('avx2');
    const sourceOf = (prefix: string): string =>
      generateModule(lowerToSteps(smallNetwork(prefix).graph, target), target).source;
    expect(sourceOf(hostile)).toBe(sourceOf(''));
    expect(sourceOf(hostile)).not.toMatch(/passwd|system\(|%s/);
  });
});
