import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** A Python that has these modules: the one on the path, else the system's; null where neither has them. */
export function pythonWith(...modules: readonly string[]): string | null {
  const has = (python: string): boolean =>
    spawnSync(python, ['-c', `import ${modules.join(', ')}`], { stdio: 'ignore' }).status === 0;
  return ['python3', '/usr/bin/python3'].find(has) ?? null;
}

/** Where the package for Python is, for PYTHONPATH. */
export const pythonPackage = resolve(import.meta.dirname, '../../python');

/** The whole scripts of a page of docs/, in order: those that import what they need. */
export function scriptsOf(page: string): string[] {
  const text = readFileSync(resolve(import.meta.dirname, '../../docs', page), 'utf8');
  return [...text.matchAll(/```python\n([\s\S]*?)```/g)]
    .map((match) => match[1]!)
    .filter((code) => code.includes('import numpy'));
}
