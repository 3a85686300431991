/* Writes a made-up run, or goes on with it: node --import tsx run-folder-child.ts FOLDER ITERATIONS. Prints `begun` once it holds the lock. */
import { existsSync } from 'node:fs';
import { isLossledgerError } from '../../src/errors.js';
import { createRunFolder, resumeRun } from '../../src/store/open.js';
import { finish, smallManifest } from './run-folder.js';

const [folder, iterations] = process.argv.slice(2) as [string, string];
const content = smallManifest(Number(iterations));

try {
  const run = existsSync(folder) ? await resumeRun(folder) : await createRunFolder(folder, content);
  console.log('begun');
  await finish(run, content);
  await run.close();
  console.log('done');
} catch (error) {
  if (!isLossledgerError(error)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}
