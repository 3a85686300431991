import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configKeys, runConfigSchema } from '../../src/experiment/config/schema.js';

const root = resolve(import.meta.dirname, '../..');
const manifest = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')) as {
  exports: Record<string, { default: string }>;
};

async function exportsOf(subpath: string): Promise<string[]> {
  const module = (await import(resolve(root, manifest.exports[subpath]!.default))) as object;
  return Object.keys(module).sort();
}

describe('public surface', () => {
  it('is exactly this', async () => {
    const surface = await Promise.all(
      Object.keys(manifest.exports).map(async (subpath) => [subpath, await exportsOf(subpath)] as const),
    );
    expect(Object.fromEntries(surface)).toMatchSnapshot();
  });

  it('documents every key of a run file with its default and what it is', () => {
    const text = readFileSync(resolve(root, 'docs/FORMAT.md'), 'utf8');
    const table = text.slice(text.indexOf('## Run files')).split('\n');
    const rows = table.map((line) =>
      line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|')),
    );
    const documented = new Map(rows.map(([, key, byDefault, what]) => [key, { byDefault, what }]));
    for (const key of configKeys) {
      const schema = runConfigSchema.shape[key];
      const value = schema.parse(undefined) as string | number | boolean | readonly string[] | null;
      const stated = Array.isArray(value) ? value.join(',') : value;
      const byDefault =
        stated === null || stated === '' || typeof stated === 'object' ? 'none' : String(stated);
      expect(documented.get(`\`${key}\``), key).toEqual({ byDefault, what: schema.description });
    }
  });

  it('links to documents that exist', () => {
    const broken = [
      'README.md',
      'CONTRIBUTING.md',
      'CHANGELOG.md',
      'docs/ANALYSES.md',
      'docs/ARCHITECTURE.md',
      'docs/CLUSTER.md',
      'docs/EXPERIMENTS.md',
      'docs/FORMAT.md',
      'docs/GALLERY.md',
      'docs/LIBRARY.md',
      'docs/NUMERICS.md',
      'docs/OBJECTIVES.md',
      'docs/OPERATORS.md',
      'docs/PERFORMANCE.md',
      'docs/READING.md',
      'docs/RECORDER.md',
      'docs/RELIABILITY.md',
      'docs/REPRODUCTION.md',
      'docs/TOUR.md',
      'docs/TRAJECTORIES.md',
    ]
      .flatMap((file) => [...readFileSync(resolve(root, file), 'utf8').matchAll(/`(docs\/[A-Za-z-]+\.md)`/g)])
      .map((match) => match[1]!)
      .filter((path) => !exists(resolve(root, path)));
    expect(broken).toEqual([]);
  });
});

function exists(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}
