import { createRunFolder } from '../../src/store/open.js';
import { finish, smallManifest } from '../support/run-folder.js';

/** What a torture found. */
export interface Outcome {
  /** What was tried, as a phrase. */
  readonly what: string;
  readonly tried: number;
  /** What did not hold, one text each. */
  readonly failures: readonly string[];
  /** Figures beside, such as memory. */
  readonly note?: string;
}

/** A complete small run, whose numbers are made up. */
export async function completeRun(folder: string, iterations = 12): Promise<void> {
  const content = smallManifest(iterations);
  const run = await createRunFolder(folder, content);
  await finish(run, content);
  await run.close();
}
