import ts from 'typescript';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/cli.js';
import { errorsOf } from '../support/compiler.js';

const root = resolve(import.meta.dirname, '../..');
const execute = promisify(execFile);
/** `folder/app` is a user's project that the package was installed in; what the package depends on is a folder above it. */
const folder = temporaryFolder();
const app = join(folder, 'app');

const examples = [...readFileSync(join(root, 'docs/LIBRARY.md'), 'utf8').matchAll(/```ts\n(.*?)```/gs)].map(
  (match) => match[1]!,
);
const names = ['run', 'browser', 'objective', 'network'] as const;

/** Installs what `npm pack` would publish, without a network. */
async function install(): Promise<void> {
  mkdirSync(join(app, 'node_modules'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder];
  const { stdout } = await execute('npm', pack, { cwd: root });
  await execute('tar', ['-xzf', join(folder, stdout.trim()), '-C', folder]);
  await execute('mv', [join(folder, 'package'), join(app, 'node_modules/lossledger')]);
  writeFileSync(join(app, 'package.json'), '{ "type": "module" }');
  names.forEach((name, index) => {
    writeFileSync(join(app, `${name}.ts`), examples[index]!);
  });
}

/** Compiles the examples as a strict project would, the package's own declarations included. */
function compile(): ts.Program {
  return ts.createProgram(
    names.map((name) => join(app, `${name}.ts`)),
    {
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
      types: [],
    },
  );
}

/** Runs a compiled example, and returns the lines that it prints. */
async function run(name: (typeof names)[number]): Promise<string[]> {
  const { stdout, stderr } = await execute(process.execPath, [`${name}.js`], { cwd: app });
  expect(stderr).toBe('');
  return stdout.trim().split('\n');
}

describe('the documented use as a library, of the packed package', () => {
  let program: ts.Program;
  beforeAll(async () => {
    await install();
    program = compile();
    program.emit();
  });

  it('has these programs', () => {
    expect(examples).toHaveLength(names.length);
  });

  it('compiles under strict and nodenext', () => {
    expect(errorsOf(program)).toEqual([]);
  });

  it('makes a run and reads it', async () => {
    const printed = await run('run');
    expect(printed.join('\n')).toMatch(/^\[ 'fc1', 'fc2', 'fc3' \] Float64Array\(9\) \[/);
    expect(printed.filter((line) => line === '84060')).toHaveLength(3);
    expect(Math.abs(Number(printed.at(-1)))).toBeLessThan(5);
  });

  it('measures an objective of one’s own', async () => {
    const printed = await run('objective');
    const numbers = printed.map((line) =>
      [...line.replace('Float64Array(2)', '').matchAll(/-?[\d.]+(?:e-\d+)?/g)].map(Number),
    );
    expect(numbers).toHaveLength(2);
    for (const [a, b, total, residual] of numbers) {
      expect(a! + b!).toBeCloseTo(total!, 12);
      expect(Math.abs(residual!)).toBeLessThan(1e-3);
    }
  });

  it('measures a network', async () => {
    const printed = await run('network');
    expect(printed).toHaveLength(5);
    for (const line of printed) {
      const [change, total, residual] = line.split(' ').map(Number);
      expect(change).toBeLessThan(0);
      expect(Math.abs(residual!)).toBeLessThan(1e-3);
      expect(total! - change!).toBeCloseTo(residual!, 12);
    }
  });
});
