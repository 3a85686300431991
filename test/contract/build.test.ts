import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { build } from '../../scripts/build.js';
import { filesBelow, temporaryFolder } from '../support/cli.js';

const options = {
  compilerOptions: {
    module: 'NodeNext', lib: ['ES5'], types: [], skipLibCheck: true,
    outDir: 'dist', rootDir: 'src', declaration: true,
  },
  include: ['src'],
}; // prettier-ignore

it('compiles what changed, removes what lost its source, and does nothing when nothing changed', () => {
  const root = temporaryFolder();
  const write = (path: string, text: string) => {
    writeFileSync(join(root, path), text);
  };
  mkdirSync(join(root, 'src/deep'), { recursive: true });
  write('package.json', '{"type": "module"}');
  write('tsconfig.build.json', JSON.stringify(options));
  write('src/a.ts', 'export const a = 1;\n');
  write('src/deep/b.ts', 'export const b = 2;\n');
  expect(build(root)).toBe('built');
  expect(build(root)).toBe('fresh');

  rmSync(join(root, 'src/deep'), { recursive: true });
  expect(build(root)).toBe('built');
  const left = ['dist/a.d.ts', 'dist/a.js'].map((path) => join(root, path));
  expect(filesBelow(join(root, 'dist'))).toEqual(left);

  rmSync(join(root, 'dist/a.js'));
  expect(build(root)).toBe('built');
  expect(existsSync(join(root, 'dist/a.js'))).toBe(true);

  write('src/a.ts', 'export const a: string = 1;\n');
  expect(build(root)).toBe('failed');
  expect(build(root)).toBe('failed');
});
