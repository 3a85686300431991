import { relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorsOf, filesOf, optionsOf, programOf } from '../support/compiler.js';
import { inSource, sourceFiles } from '../support/sources.js';

/** What runs anywhere (docs/ARCHITECTURE.md). */
const anywhere = [
  'errors.ts',
  'num',
  'formats',
  'graph',
  'onnx',
  'autodiff',
  'quadrature',
  'optim',
  'ledger',
  'format',
  'analysis',
  'figures/theme.ts',
  'engines/checks.ts',
  'engines/liveness.ts',
  'engines/types.ts',
  'engines/checks.ts',
  'engines/liveness.ts',
  'engines/reference',
];

const config = 'tsconfig.browser.json';

describe('what runs anywhere', () => {
  it('is what tsconfig.browser.json compiles', () => {
    const below = (place: string) => (file: string) => file === place || file.startsWith(`${place}/`);
    const expected = sourceFiles().filter((file) => anywhere.some((place) => below(place)(file)));
    expect(filesOf(config).map(inSource).sort()).toEqual(expected);
  });

  it('compiles with the types of neither Node nor a browser', () => {
    const { lib, types } = optionsOf(config);
    expect({ lib, types }).toEqual({ lib: ['lib.es2023.d.ts'], types: [] });
    expect(errorsOf(programOf(filesOf(config), config))).toEqual([]);
  });

  it('needs no file that runs only in Node', () => {
    const root = resolve(import.meta.dirname, '../../src');
    const needed = programOf(filesOf(config), config)
      .getSourceFiles()
      .map(({ fileName }) => relative(root, fileName))
      .filter((file) => !file.startsWith('..'));
    const elsewhere = needed.filter(
      (file) => !anywhere.some((place) => file === place || file.startsWith(`${place}/`)),
    );
    expect(elsewhere).toEqual([]);
  });
});
