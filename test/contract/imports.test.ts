import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const source = resolve(import.meta.dirname, '../../src');

/** Who may import whom, besides itself and `errors.ts` (docs/ARCHITECTURE.md). */
const allowed: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  num: [],
  graph: ['num'],
  onnx: ['graph', 'num'],
  autodiff: ['graph', 'num'],
  engines: ['graph', 'num', 'engines/reference', 'engines/onnxruntime', 'engines/native'],
  'engines/reference': ['engines', 'graph', 'num'],
  'engines/onnxruntime': ['engines', 'onnx', 'graph', 'num'],
  'engines/native': ['engines', 'graph', 'num'],
  formats: ['num'],
  models: ['graph', 'onnx', 'num', 'data/types.ts'],
  data: ['formats', 'num'],
  trajectory: ['formats', 'graph', 'onnx', 'data', 'ledger', 'num'],
  optim: ['num'],
  quadrature: ['num'],
  ledger: ['quadrature', 'num'],
  store: ['num', 'ledger'],
  analysis: ['num', 'ledger'],
  figures: ['analysis', 'num'],
  objective: ['num', 'graph', 'engines', 'data', 'optim', 'quadrature', 'ledger', 'engines'],
  experiment: [
    'num',
    'graph',
    'autodiff',
    'engines',
    'models',
    'data',
    'optim',
    'quadrature',
    'ledger',
    'objective',
    'store',
    'engines',
    'run/control.ts',
  ],
  run: [
    'num',
    'graph',
    'autodiff',
    'engines',
    'engines/reference',
    'engines/onnxruntime',
    'engines/native',
    'models',
    'data',
    'optim',
    'quadrature',
    'ledger',
    'objective',
    'store',
    'analysis',
    'figures',
    'experiment',
  ],
  cli: ['run', 'experiment', 'figures', 'analysis', 'store'],
  index: ['run', 'experiment', 'engines', 'models', 'analysis', 'store', 'ledger'],
};

/** Folders that run in a browser too: no Node modules. */
const browserSafe = [
  'errors',
  'num',
  'formats',
  'graph',
  'onnx',
  'autodiff',
  'quadrature',
  'ledger',
  'analysis',
];

interface Import {
  readonly from: string;
  readonly to: string;
}

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => join(folder, name));
}

const specifiers = /(?:from|import|import\()\s*'([^']+)'/g;

function specifiersOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(specifiers)].map((match) => match[1]!);
}

function internalImports(): Import[] {
  return files(source).flatMap((file) =>
    specifiersOf(file)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => ({
        from: relative(source, file),
        to: relative(source, resolve(dirname(file), specifier.replace(/\.js$/, '.ts'))),
      })),
  );
}

/** Folder of the import table that a file belongs to. */
function areaOf(path: string): string {
  const parts = path.split('/');
  if (parts.length === 1) return path.replace(/\.ts$/, '');
  return parts[0] === 'engines' && parts.length > 2 ? `${parts[0]}/${parts[1]!}` : parts[0]!;
}

function mayImport({ from, to }: Import): boolean {
  const here = areaOf(from);
  const there = areaOf(to);
  return (
    here === there || there === 'errors' || allowed[here]!.some((entry) => entry === there || entry === to)
  );
}

function findCycle(imports: readonly Import[]): string[] | null {
  const targets = new Map<string, string[]>();
  for (const { from, to } of imports) targets.set(from, [...(targets.get(from) ?? []), to]);
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return null;
    for (const next of targets.get(file) ?? []) {
      const cycle = visit(next, [...path, file]);
      if (cycle) return cycle;
    }
    done.add(file);
    return null;
  };
  for (const file of targets.keys()) {
    const cycle = visit(file, []);
    if (cycle) return cycle;
  }
  return null;
}

describe('imports', () => {
  it('finds the source files', () => {
    expect(files(source).length).toBeGreaterThan(10);
  });

  it('follow the table of docs/ARCHITECTURE.md', () => {
    const unknown = files(source)
      .map((file) => areaOf(relative(source, file)))
      .filter((area) => !(area in allowed));
    expect(unknown).toEqual([]);
    expect(internalImports().filter((entry) => !mayImport(entry))).toEqual([]);
  });

  it('have no cycle, types included', () => {
    expect(findCycle(internalImports())).toBeNull();
  });

  it('are free of Node modules where a browser must run them', () => {
    const found = files(source)
      .filter((file) => browserSafe.includes(areaOf(relative(source, file))))
      .flatMap((file) =>
        specifiersOf(file)
          .filter((name) => name.startsWith('node:'))
          .map((name) => `${file}: ${name}`),
      );
    expect(found).toEqual([]);
  });
});
