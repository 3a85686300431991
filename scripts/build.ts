import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { binFolder, bundle } from './bundle.js';
import { buildDashboard, dashboardSources } from './dashboard.js';
import { filesBelow, hashOf, isFile } from './hash.js';

const projectRoot = resolve(import.meta.dirname, '..');

/** What a build found to do: nothing, or it compiled; `failed` where types do not fit (what compiles is written all the same). */
export type BuildOutcome = 'fresh' | 'built' | 'failed';

/** Kept outside dist, which is what gets published. */
interface Stamp {
  /** Hash of everything that the output follows from. */
  readonly sources: string;
  /** Hash of names, sizes and times of the output. */
  readonly outputs: string;
}

/**
 * Brings `dist` of a project in line with `src`: compiles what changed, removes what has no source any more, bundles the programs, and builds the page. Does
 * nothing where neither sources nor output changed since the last build.
 */
export function build(root = projectRoot): BuildOutcome {
  const cache = join(root, 'node_modules/.cache/lossledger');
  const [stampPath, infoPath] = [join(cache, 'build.json'), join(cache, 'build.tsbuildinfo')];
  const sources = hashOf(sourcesOf(root), (path) => readFileSync(join(root, path)));
  const stamp = readStamp(stampPath);
  const untouched = stamp?.outputs === outputsOf(root);
  if (untouched && stamp.sources === sources) return 'fresh';
  mkdirSync(cache, { recursive: true });
  rmSync(stampPath, { force: true });
  // The compiler believes that what it wrote once is still there.
  if (!untouched) rmSync(infoPath, { force: true });
  const compiled = compile(root, infoPath);
  removeOrphans(root);
  if (isFile(join(root, 'dist/cli/lca.js'))) bundle(root);
  const built = buildDashboard(root, cache);
  if (!compiled || !built) return 'failed';
  writeFileSync(stampPath, JSON.stringify({ sources, outputs: outputsOf(root) } satisfies Stamp));
  return 'built';
}

function compile(root: string, infoPath: string): boolean {
  const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const args = ['-p', 'tsconfig.build.json', '--incremental', '--tsBuildInfoFile', infoPath];
  return spawnSync(process.execPath, [compiler, ...args], { cwd: root, stdio: 'inherit' }).status === 0;
}

function readStamp(path: string): Stamp | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Stamp;
  } catch {
    return null;
  }
}

/** Paths, relative to the root, of everything that the output follows from. */
function sourcesOf(root: string): string[] {
  const settings = [
    'tsconfig.json', 'tsconfig.build.json', 'package-lock.json', 'node_modules/typescript/package.json', 'scripts/bundle.ts',
  ]; // prettier-ignore
  return [
    ...modulesOf(root),
    ...dashboardSources(root),
    ...settings.filter((path) => isFile(join(root, path))),
  ];
}

/** The modules that are compiled. */
function modulesOf(root: string): string[] {
  return filesBelow(root, 'src').filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'));
}

function outputsOf(root: string): string {
  return hashOf(filesBelow(root, 'dist'), (path) => {
    const { size, mtimeMs } = statSync(join(root, path));
    return `${size} ${mtimeMs}`;
  });
}

/** Removes from dist what no module compiles to, and folders left empty; the folders of the page and of the programs are their own builds'. */
function removeOrphans(root: string): void {
  const wanted = new Set(
    modulesOf(root).flatMap((path) => {
      const stem = join('dist', path.slice('src/'.length, -'.ts'.length));
      return [`${stem}.js`, `${stem}.d.ts`];
    }),
  );
  const others = [join('dist', 'dashboard', '/'), join(binFolder, '/')];
  for (const path of filesBelow(root, 'dist')) {
    if (!wanted.has(path) && !others.some((folder) => path.startsWith(folder))) removeWithFolders(join(root, path)); // prettier-ignore
  }
}

function removeWithFolders(path: string): void {
  rmSync(path);
  let folder = dirname(path);
  while (readdirSync(folder).length === 0) {
    rmdirSync(folder);
    folder = dirname(folder);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href && build() === 'failed')
  process.exitCode = 1;
