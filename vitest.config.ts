import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.js';
import { quickTemporary } from './test/support/temporary.js';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
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
});
