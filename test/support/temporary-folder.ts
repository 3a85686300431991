import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder that is removed at the end of the file of tests, or where there is none when the process ends. */
export function temporaryFolder(): string {
  if (temporary.length === 0) process.once('exit', removeTemporary);
  const folder = mkdtempSync(join(tmpdir(), 'lossledger-test-'));
  temporary.push(folder);
  return folder;
}

const temporary: string[] = [];

/** Removes what `temporaryFolder` gave. */
export function removeTemporary(): void {
  process.off('exit', removeTemporary);
  for (const folder of temporary.splice(0)) rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }); // prettier-ignore
}
