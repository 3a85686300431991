import { join } from 'node:path';
import { beforeEach } from 'vitest';
import { temporaryFolder } from './temporary-folder.js';

/** Where each test of a file may make a run: `run` does not exist yet, and is alone in `parent`, a folder of the test's own. */
export function runPlace(): { readonly run: string; readonly parent: string } {
  const place = { run: '', parent: '' };
  beforeEach(() => {
    place.parent = temporaryFolder();
    place.run = join(place.parent, 'run');
  });
  return place;
}
