import { svelte, vitePreprocess } from '@sveltejs/vite-plugin-svelte';
import { resolve } from 'node:path';
import { defineConfig, type Plugin } from 'vite';
import { licencesOf } from '../../scripts/bundle.ts';

const root = resolve(import.meta.dirname, '../..');

/** Writes the licences of all packages that the page contains beside it. */
function licences(): Plugin {
  return {
    name: 'licences',
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).flatMap((file) => (file.type === 'chunk' ? [file] : []));
      const modules = chunks.flatMap(({ moduleIds }) => moduleIds.map((id) => id.replace(/^\0|\?.*$/g, '')));
      this.emitFile({ type: 'asset', fileName: 'LICENSES.txt', source: licencesOf(modules) });
    },
  };
}

/** Modules that begin to load with the page itself, though a script asks for them only later; with all that they import. */
const early = ['start', 'plot'];

/** Asks for those modules in the page's head, and puts the style there itself: the shell is painted without waiting for another file. */
function head(): Plugin {
  return {
    name: 'head',
    transformIndexHtml: {
      order: 'post',
      handler: (html, { bundle = {} }) => {
        const files = Object.values(bundle);
        const chunks = files.flatMap((file) => (file.type === 'chunk' ? [file] : []));
        const names = new Set<string>();
        const add = (name: string) => {
          if (names.has(name)) return;
          names.add(name);
          chunks.find(({ fileName }) => fileName === name)?.imports.forEach(add);
        };
        for (const { fileName, name } of chunks) if (early.includes(name)) add(fileName);
        const style = files.find((file) => file.type === 'asset' && file.fileName.endsWith('.css'));
        const text = style?.type === 'asset' ? style.source.toString() : '';
        const links = [...names].map(
          (name) => `    <link rel="modulepreload" crossorigin href="./${name}" />\n`,
        );
        return html
          .replace(/ *<link rel="stylesheet".*\n/, () => `    <style>${text.trim()}</style>\n`)
          .replace(/ *<\/head>/, (end) => `${links.join('')}${end}`);
      },
    },
  };
}

/** The page uses the package as anybody's would: by its exports that run in browsers. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [
    svelte({ configFile: false, preprocess: vitePreprocess(), compilerOptions: { runes: true } }),
    licences(),
    head(),
  ],
  resolve: {
    alias: [
      { find: 'lossledger/theme', replacement: `${root}/dist/figures/theme.js` },
      { find: /^lossledger\/(.*)$/, replacement: `${root}/dist/$1/index.js` },
    ],
  },
  build: {
    outDir: resolve(root, 'dist/dashboard'),
    emptyOutDir: true,
    target: 'es2023',
    modulePreload: false,
    // One style, so that modules that are loaded later have none of their own to wait for.
    cssCodeSplit: false,
    chunkSizeWarningLimit: 1500,
    // Inlined files would be data: addresses, which the content security policy refuses for all but images.
    assetsInlineLimit: 0,
  },
  logLevel: 'warn',
});
