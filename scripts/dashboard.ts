import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { filesBelow, hashOf } from './hash.js';

/** Modules of the package that the page may be made of: those that run in browsers. */
const modules = [
  'errors.js', 'num', 'formats', 'graph', 'onnx', 'autodiff', 'quadrature', 'optim', 'ledger', 'format', 'analysis', 'engines/reference',
]; // prettier-ignore

/**
 * Builds the page to `dist/dashboard` of compiled modules, unless it was built of the same before.
 *
 * @returns False where it failed; what went wrong was printed.
 */
export function buildDashboard(root: string, cache: string): boolean {
  const config = join(root, 'apps/dashboard/vite.config.ts');
  if (!existsSync(config)) return true;
  const stampPath = join(cache, 'dashboard.txt');
  const paths = [
    ...dashboardSources(root),
    'package-lock.json',
    ...filesBelow(root, 'dist').filter((path) =>
      modules.some(
        (name) => path === `dist/${name}` || (path.startsWith(`dist/${name}/`) && path.endsWith('.js')),
      ),
    ),
  ];
  const stamp = hashOf(paths, (path) => readFileSync(join(root, path)));
  const isBuilt = existsSync(join(root, 'dist/dashboard/index.html'));
  if (isBuilt && existsSync(stampPath) && readFileSync(stampPath, 'utf8') === stamp) return true;
  const program = join(createRequire(import.meta.url).resolve('vite/package.json'), '../bin/vite.js');
  const { status } = spawnSync(process.execPath, [program, 'build', '-c', config], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status === 0) writeFileSync(stampPath, stamp);
  return status === 0;
}

/** The page's own files, relative to the root. */
export function dashboardSources(root: string): string[] {
  return filesBelow(root, 'apps/dashboard');
}
