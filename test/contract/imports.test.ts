import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const source = resolve(import.meta.dirname, '../../src');

/**
 * Folders from the bottom up: each may import those before it, besides itself (docs/ARCHITECTURE.md). Folders of one line do not import
 * each other unless `also` says so.
 */
const order: readonly (readonly string[])[] = [
  ['errors'],
  ['num'],
  ['formats', 'graph', 'optim', 'quadrature'],
  ['onnx', 'autodiff', 'ledger'],
  ['format'],
  ['analysis'],
  ['figures'],
  ['engines'],
  ['engines/reference', 'engines/onnxruntime', 'engines/native'],
  ['data'],
  ['models', 'trajectory'],
  ['objective'],
  ['store'],
  ['experiment'],
  ['run'],
  ['cli', 'index'],
];

/** The registry of engines loads each of them when it is asked for. */
const also: Readonly<Record<string, readonly string[]>> = {
  'engines/registry.ts': ['engines/reference', 'engines/onnxruntime', 'engines/native'],
};

/** Folders that run in a browser too: no Node modules. */
const browserSafe = ['errors', 'num', 'formats', 'graph', 'onnx', 'autodiff', 'quadrature', 'optim', 'ledger', 'format', 'analysis', 'engines/reference']; // prettier-ignore

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

const levelOf = (area: string): number => order.findIndex((areas) => areas.includes(area));

function mayImport({ from, to }: Import): boolean {
  const [here, there] = [areaOf(from), areaOf(to)];
  return here === there || levelOf(there) < levelOf(here) || (also[from] ?? []).includes(there);
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
      .filter((area) => levelOf(area) < 0);
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
