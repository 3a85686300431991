import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.js';
import { quickTemporary } from './test/support/temporary.js';

/** What only changes of engines and numbers ask for: every recorded number again, and generated C under sanitizers (`npm run test:long`). */
const long = ['test/replay/**/*.test.ts', 'test/invariant/sanitizers.test.ts'];

export default defineConfig(({ mode }) => ({
  test: {
    include: mode === 'long' ? long : ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
    exclude: ['**/node_modules/**', ...(mode === 'long' ? [] : long)],
    globalSetup: ['test/support/build.ts'],
    env: quickTemporary(),
    // Against tests that never end, on machines however busy; nothing is timed.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    sequence: { sequencer: LongestFirst },
    pool: 'forks',
    maxWorkers: 2,
    // Modules are loaded once for all files: no test changes what another one sees.
    isolate: false,
  },
}));
