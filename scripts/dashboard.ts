import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { filesBelow, hashOf } from './hash.js';

/** Modules of the package that the page may be made of: those that run in browsers. */
const modules = [
  'errors.js', 'num', 'formats', 'graph', 'onnx', 'autodiff', 'quadrature', 'optim', 'ledger', 'format', 'analysis', 'figures/theme.js', 'engines/reference',
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
    'scripts/bundle.ts',
    ...filesBelow(root, 'dist').filter((path) =>
      modules.some(
        (name) => path === `dist/${name}` || (path.startsWith(`dist/${name}/`) && path.endsWith('.js')),
      ),
    ),
  ];
  const stamp = hashOf(paths, (path) => readFileSync(join(root, path)));
  const page = join(root, 'dist/dashboard');
  const isBuilt = existsSync(join(page, 'index.html'));
  if (isBuilt && existsSync(stampPath) && readFileSync(stampPath, 'utf8') === stamp) return true;
  const program = join(createRequire(import.meta.url).resolve('vite/package.json'), '../bin/vite.js');
  // What is there is served meanwhile, and exchanged at once.
  const draft = mkdtempSync(join(root, 'dist/.page-'));
  try {
    const args = [program, 'build', '-c', config, '--outDir', join(draft, 'new')];
    const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
    if (status !== 0) return false;
    if (existsSync(page)) renameSync(page, join(draft, 'old'));
    renameSync(join(draft, 'new'), page);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  writeFileSync(stampPath, stamp);
  return true;
}

/** The page's own files, relative to the root. */
export function dashboardSources(root: string): string[] {
  return filesBelow(root, 'apps/dashboard');
}
