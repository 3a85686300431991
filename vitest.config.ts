import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.js';

/**
 * What takes long (`npm run test:long`): every recorded number again, whole runs by every preset and engine, kills and damages, generated C under
 * sanitizers, a real Slurm and an object store.
 */
const long = ['test/**/*.long.test.ts'];

export default defineConfig(({ mode }) => ({
  test: {
    include: mode === 'long' ? long : ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
    exclude: ['**/node_modules/**', ...(mode === 'long' ? [] : long)],
    globalSetup: ['test/support/temporary.ts', 'test/support/build.ts'],
    setupFiles: ['test/support/clean-up.ts'],
    // Against tests that never end, on machines however busy; nothing is timed.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    sequence: { sequencer: LongestFirst },
    pool: 'forks',
    // A cluster and object stores are mostly waited for.
    maxWorkers: mode === 'long' ? 4 : 2,
    // Modules are loaded once for all files: no test changes what another one sees. What takes long keeps a process, and its memory, to itself.
    isolate: mode === 'long',
  },
}));
