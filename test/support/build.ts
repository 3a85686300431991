import type { TestProject } from 'vitest/node';
import { build } from '../../scripts/build.js';

/** Before the tests, and before each rerun while watching: workers and the command line run `dist`, which must be what `src` says. */
export default function setup(project: TestProject): void {
  const bringUpToDate = () => {
    if (build() === 'failed') console.warn('Types do not fit (see above); the tests run what compiles.');
  };
  bringUpToDate();
  project.onTestsRerun(() => {
    bringUpToDate();
    return Promise.resolve();
  });
}
