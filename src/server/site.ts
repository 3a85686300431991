import { cp, lstat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { makeFolder } from '../folders.js';
import { encodeSummary, summaryOf, summaryPath } from '../format/derived/summary.js';
import { attempt } from '../store/files.js';
import { openRun, refuseExisting } from '../store/open.js';
import { writePyramids } from '../store/pyramid.js';
import { runList } from './serve.js';

/** What of a run folder a site has: what the page reads, and nothing else. */
const parts = ['manifest.json', 'journal', 'ledger.zarr', 'pending'];

/**
 * Writes the page and runs as files that any web server can host, with their pyramids.
 *
 * @param page Folder of the built page.
 * @returns Why a pyramid was left out; empty where none was.
 * @throws StoreError where there is something at `out` already, a run cannot be read, or files cannot be written.
 */
export async function writeSite(page: string, folders: readonly string[], out: string): Promise<string[]> {
  const runs = await Promise.all(folders.map((folder) => openRun(folder)));
  await refuseExisting(out);
  await attempt(`write ${out}`, () => cp(page, out, { recursive: true }));
  const list = runList(folders.map((folder) => ({ name: basename(resolve(folder)), folder })));
  const reasons: string[] = [];
  for (const [index, folder] of folders.entries()) {
    const target = join(out, list.runs[index]!.path);
    await copyRun(folder, target);
    const reason = await writePyramids(runs[index]!, folder, { out: target });
    if (reason !== null) reasons.push(reason);
    const summary = encodeSummary(await summaryOf(runs[index]!));
    await attempt(`write ${target}`, () => writeFile(join(target, summaryPath), summary));
  }
  await attempt(`write ${out}`, () => writeFile(join(out, 'runs.json'), JSON.stringify(list)));
  return reasons;
}

/** Copies plain files and folders; links are left out, since what they lead to may not be the run's. */
async function copyRun(folder: string, target: string): Promise<void> {
  await attempt(`write ${target}`, async () => {
    await makeFolder(target);
    for (const part of parts) {
      const filter = async (path: string) => !(await lstat(path)).isSymbolicLink();
      await cp(join(folder, part), join(target, part), { recursive: true, filter }).catch(
        (error: unknown) => {
          if (part !== 'pending') throw error;
        },
      );
    }
  });
}
