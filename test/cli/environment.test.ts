import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeLine, origin } from '../../src/format/journal.js';
import type { JournalRecord } from '../../src/format/records.js';
import { sha256 } from '../../src/store/files.js';
import { fingerprint, lca, lcaProcess, temporaryFolder } from '../support/cli.js';

const folder = temporaryFolder();
const run = join(folder, 'run');
const main = resolve(import.meta.dirname, '../../dist/bin/lca.js');
const small = ['--subset', '200', '--iterations', '2', '--batch-size', '50', '--chunk', '100', '--quiet'];

beforeAll(async () => {
  const { code, stderr } = await lcaProcess(['run', 'mnist-fc-sgd', ...small, '--engine', 'onnxruntime', '--out', run]); // prettier-ignore
  expect(code, stderr).toBe(0);
});

/** Runs a line of a shell, `lca` standing for the built command. */
function shell(line: string, options: { uid?: number; gid?: number } = {}) {
  const script = line.replace(/\blca\b/g, `"${process.execPath}" "${main}"`);
  return spawnSync('bash', ['-c', script], { encoding: 'utf8', ...options });
}

const isClear = (stderr: string): void => {
  expect(stderr).toMatch(/expected:[^]*to do:/);
  expect(stderr).not.toMatch(/\n\s+at /);
};

describe('a place that cannot be written', () => {
  it.skipIf(!existsSync('/dev/full'))('as standard output or as the file of an export: status 1', () => {
    for (const target of ['> /dev/full', '--out /dev/full']) {
      const { status, stderr } = shell(`lca export ${run} --what allocation ${target}`);
      isClear(stderr);
      expect(stderr).toMatch(/ENOSPC/);
      expect(status).toBe(1);
    }
    expect(existsSync('/dev/full.partial')).toBe(false);
  });

  it('for temporary files', async () => {
    const { code, stderr } = await lcaProcess(['demo', '--quiet'], { TMPDIR: '/dev/null/nowhere' });
    isClear(stderr);
    expect(code).toBe(2);
  });

  it.skipIf(process.platform === 'win32').each([32, 40, 48])('of so many open files that it needs: %i', (files) => {
    const out = join(folder, `files${files}`);
    const { status, stderr } = shell(`ulimit -n ${files}; lca run mnist-fc-sgd ${small.join(' ')} --workers 2 --out ${out}`);
    if (status === 0) return;
    isClear(stderr);
    expect(stderr).toMatch(/EMFILE[^]*ulimit -n/);
    expect(status).toBe(1);
  }); // prettier-ignore

  it.skipIf(process.platform === 'win32')('of which only a hundred files may be open, for a run of more arrays', () => {
    const wide = '--parts class --components --certify 0 --basis pca:2 --measure train,validation,test';
    const out = join(folder, 'wide');
    const { status, stderr } = shell(`ulimit -n 100; lca run mnist-fc-sgd ${small.join(' ')} ${wide} --workers 1 --engine onnxruntime --out ${out}`);
    expect(status, stderr).toBe(0);
    const arrays = readdirSync(out, { recursive: true }).filter((path) => String(path).endsWith('zarr.json'));
    expect(arrays.length).toBeGreaterThan(200);
  }); // prettier-ignore

  it('a home: the compiler runs once, and nothing is left', async (ctx) => {
    if (spawnSync('cc', ['--version']).status !== 0) ctx.skip('there is no compiler');
    const place = join(folder, 'homeless');
    const [compiler, log, temporary] = [join(place, 'cc'), join(place, 'log'), join(place, 'tmp')];
    mkdirSync(temporary, { recursive: true });
    const script = `#!/bin/sh\ncase "$*" in *-dM*) ;; *) echo compiled >> ${log};; esac\nexec cc "$@"\n`;
    writeFileSync(compiler, script, { mode: 0o755 });
    const args = ['run', 'mnist-fc-sgd', ...small, '--measure', 'train', '--batch-size', '100', '--engine', 'native', '--workers', '3', '--out', join(place, 'run')]; // prettier-ignore
    // Where no folder can be made, though the one that it would lie in is there.
    const env = { XDG_CACHE_HOME: '/proc', TMPDIR: temporary, CC: compiler };
    const { code, stderr } = await lcaProcess(args, env);
    expect(code, stderr).toBe(0);
    // Training and measuring have programs of their own where batches and chunks are not of one size; here they are, but for dropout. Counting errors has one, and so have the loops over all parameters.
    expect(readFileSync(log, 'utf8').split('\n').length - 1).toBeLessThanOrEqual(4);
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('a slow compiler: it is said what takes so long, unless nothing is to be said', async (ctx) => {
    if (spawnSync('cc', ['--version']).status !== 0) ctx.skip('there is no compiler');
    const place = join(folder, 'slow');
    mkdirSync(place, { recursive: true });
    const compiler = join(place, 'cc');
    writeFileSync(compiler, '#!/bin/sh\ncase "$*" in *-dM*) ;; *) sleep 4;; esac\nexec cc "$@"\n', {
      mode: 0o755,
    });
    const told = async (name: string, ...more: string[]): Promise<string> => {
      const args = ['run', 'mnist-fc-sgd', ...small.filter((word) => word !== '--quiet'), '--engine', 'native', '--out', join(place, 'run'), '--dry-run', ...more]; // prettier-ignore
      const { code, stderr } = await lcaProcess(args, { XDG_CACHE_HOME: join(place, name), CC: compiler });
      expect(code, stderr).toBe(0);
      return stderr;
    };
    const compiling =
      /compiling the network for this processor; what is compiled is kept for the next time\n/g;
    expect((await told('first')).match(compiling)).toHaveLength(1);
    expect(await told('first')).not.toMatch(compiling);
    expect(await told('second', '--quiet')).not.toMatch(compiling);
  });

  it.skipIf(process.getuid?.() !== 0)('a run that may only be read: reported elsewhere', () => {
    const locked = join(folder, 'locked');
    cpSync(run, locked, { recursive: true });
    const before = fingerprint(locked);
    const free = join(folder, 'free');
    mkdirSync(free);
    chmodSync(free, 0o777);
    for (const place of [folder, locked]) chmodSync(place, 0o755);
    const nobody = { uid: 65534, gid: 65534 };
    const refused = shell(`lca report ${locked} --quiet`, nobody);
    isClear(refused.stderr);
    expect(refused.stderr).toMatch(/EACCES[^]*--out/);
    expect(refused.status).toBe(2);
    const page = join(free, 'page.html');
    expect(shell(`lca report ${locked} --quiet --out ${page}`, nobody)).toMatchObject({ status: 0 });
    expect(readFileSync(page, 'utf8')).toMatch(/^<!doctype html>/i);
    expect(fingerprint(locked)).toEqual(before);
  });

  it('the lock is a folder', async () => {
    const copy = join(folder, 'copy');
    cpSync(run, copy, { recursive: true });
    mkdirSync(join(copy, 'lock'));
    const { code, stderr } = await lca(['resume', copy, '--quiet']);
    isClear(stderr);
    expect(code).toBe(2);
  });
});

/** The run with another manifest, all checks made to fit. */
function resigned(change: (manifest: Record<string, Record<string, unknown>>) => void): string {
  const copy = join(folder, `resigned-${Math.random()}`);
  cpSync(run, copy, { recursive: true });
  const path = join(copy, 'manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Record<string, unknown>>;
  change(manifest);
  const bytes = Buffer.from(JSON.stringify(manifest));
  writeFileSync(path, bytes);
  const lines: Uint8Array[] = [];
  let previous = origin;
  for (const text of readFileSync(join(copy, 'journal'), 'utf8').trimEnd().split('\n')) {
    const { record } = JSON.parse(text) as { record: JournalRecord };
    if (record.type === 'created') record.files['manifest.json'] = sha256(bytes);
    const { line, check } = encodeLine(previous, record, sha256);
    lines.push(line);
    previous = check;
  }
  writeFileSync(join(copy, 'journal'), Buffer.concat(lines));
  return copy;
}

describe('a run that somebody else made', () => {
  const escape = '\u001b]0;owned\u0007\u001b[2J';

  it.each([
    ['unit', (manifest: Record<string, Record<string, unknown>>) => (manifest.definition!.unit = escape)],
    ['rule', (manifest: Record<string, Record<string, unknown>>) => (manifest.quadrature!.rule = escape)],
  ])('commands no terminal by its %s', async (_, change) => {
    const hostile = resigned(change);
    for (const args of [['report', hostile], ['verify', hostile], ['export', hostile, '--what', 'total'], ['resume', hostile, '--quiet']]) {
      const { code, stdout, stderr } = await lca(args);
      expect(stdout + stderr).not.toMatch(/\u001b|\u0007/);
      isClear(stderr);
      expect(code).toBe(2);
    }
  }); // prettier-ignore

  it('is refused where it claims more segments than can be kept track of', async () => {
    const hostile = resigned((manifest) => (manifest.trajectory!.iterations = 2 ** 32));
    const { code, stderr } = await lca(['report', hostile, '--quiet']);
    isClear(stderr);
    expect(code).toBe(2);
    const asked = await lca(['run', 'mnist-fc-sgd', '--iterations', String(2 ** 32), '--out', join(folder, 'no')]); // prettier-ignore
    expect(asked.stderr).toMatch(/iterations: 4294967296[^]*at most 16777216/);
    expect(asked.code).toBe(2);
  });
});

describe('a run file', () => {
  it('whose alias stands inside of what it names is refused', async () => {
    const path = join(folder, 'circular.yaml');
    writeFileSync(path, 'groups: &a\n  - match: *a\n');
    const { code, stderr } = await lca(['run', path, '--out', join(folder, 'circular')]);
    isClear(stderr);
    expect(stderr).toMatch(/circular/);
    expect(code).toBe(2);
  });

  it('and flags with an empty entry in a list are refused', async () => {
    const { code, stderr } = await lca(['run', 'mnist-fc-sgd', '--class-weights', '1,,2', '--out', join(folder, 'weights')]); // prettier-ignore
    isClear(stderr);
    expect(stderr).toMatch(/classWeights\[1\]: ""/);
    expect(code).toBe(2);
  });
});
