import { dirname, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { absolute, inSource, sourceFiles, textOf } from '../support/sources.js';

/**
 * The folders in their order (docs/ARCHITECTURE.md): imports point to earlier rows alone, and folders of one row do not import one
 * another. A folder or file below a row's folder belongs to it, unless it has a row of its own.
 */
const rows: readonly (readonly string[])[] = [
  ['errors.ts'],
  ['folders.ts'],
  ['num'],
  ['formats'],
  ['graph'],
  ['onnx'],
  ['autodiff'],
  ['quadrature'],
  ['optim'],
  ['ledger'],
  ['format'],
  ['analysis'],
  ['figures'],
  ['engines'],
  ['engines/reference', 'engines/onnxruntime', 'engines/native', 'engines/process'],
  ['engines/registry.ts'],
  ['data'],
  ['models', 'trajectory'],
  ['objective'],
  ['store'],
  ['experiment'],
  ['run'],
  ['server'],
  ['cli'],
  ['index.ts'],
];

const places = rows.flat();

/** Row's folder or file that a file belongs to. */
function placeOf(file: string): string | undefined {
  return places
    .filter((place) => file === place || file.startsWith(`${place}/`))
    .sort((a, b) => b.length - a.length)[0];
}

function rowOf(place: string | undefined): number {
  return rows.findIndex((row) => row.includes(place ?? ''));
}

interface Import {
  readonly from: string;
  readonly to: string;
}

const specifiers = /(?:from|import|import\()\s*'(\.[^']+)'/g;

/** Imports between production files, types included. */
function internalImports(): Import[] {
  return sourceFiles().flatMap((from) =>
    [...textOf(from).matchAll(specifiers)].map((match) => ({
      from,
      to: inSource(resolve(dirname(absolute(from)), match[1]!.replace(/\.js$/, '.ts'))),
    })),
  );
}

const imports = internalImports();

function pointsUp({ from, to }: Import): boolean {
  const [here, there] = [placeOf(from), placeOf(to)];
  return here === there || rowOf(there) < rowOf(here);
}

/** A path of imports that comes back to where it began. */
function findCycle(): string[] | null {
  const targets = new Map<string, string[]>();
  for (const { from, to } of imports) targets.set(from, [...(targets.get(from) ?? []), to]);
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return null;
    for (const to of targets.get(file) ?? []) {
      const cycle = visit(to, [...path, file]);
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
    expect(sourceFiles().length).toBeGreaterThan(100);
    expect(imports.length).toBeGreaterThan(500);
  });

  it('come from folders that have a row', () => {
    expect(sourceFiles().filter((file) => placeOf(file) === undefined)).toEqual([]);
  });

  it('point to earlier rows', () => {
    expect(imports.filter((entry) => !pointsUp(entry)).map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  it('have no cycle, types included', () => {
    expect(findCycle()).toBeNull();
  });
});
