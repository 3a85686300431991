import { svelte } from '@sveltejs/vite-plugin-svelte';
import { resolve } from 'node:path';
import { defineConfig } from 'vite';

const root = resolve(import.meta.dirname, '../..');

/** The page uses the package as anybody's would: by its exports that run in browsers. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [svelte()],
  resolve: { alias: [{ find: /^lossledger\/(.*)$/, replacement: `${root}/dist/$1/index.js` }] },
  build: {
    outDir: resolve(root, 'dist/dashboard'),
    emptyOutDir: true,
    target: 'es2023',
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
    // Inlined files would be data: addresses, which the content security policy refuses for all but images.
    assetsInlineLimit: 0,
  },
  logLevel: 'warn',
});
