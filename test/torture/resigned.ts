import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isLossledgerError } from '../../src/errors.js';
import { encodeLine, origin } from '../../src/format/journal.js';
import type { JournalRecord } from '../../src/format/records.js';
import { exportRun } from '../../src/run/export/export.js';
import { reportRun } from '../../src/run/report.js';
import { verifyFolder } from '../../src/run/verify.js';
import { sha256 } from '../../src/store/files.js';
import { openRun, resumeRun } from '../../src/store/open.js';
import { mutatedJson } from '../support/mutate.js';
import type { Random } from '../support/samples.js';
import { completeRun, type Outcome } from './outcome.js';

/** Writes a run whose manifest or journal says something else, all its checks made to fit. */
function resign(run: string, random: Random): void {
  const path = join(run, 'manifest.json');
  const records = readFileSync(join(run, 'journal'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { record: JournalRecord }).record);
  if (random() < 0.6) {
    const manifest = mutatedJson(readFileSync(path), random);
    writeFileSync(path, manifest);
    const files = { ...(records[0] as { files: object }).files, 'manifest.json': sha256(manifest) };
    records[0] = { type: 'created', files };
  } else {
    const line = Math.floor(random() * records.length);
    const changed = mutatedJson(Buffer.from(JSON.stringify(records[line])), random);
    records[line] = JSON.parse(Buffer.from(changed).toString()) as JournalRecord;
  }
  const lines: Uint8Array[] = [];
  let previous = origin;
  for (const record of records) {
    const { line, check } = encodeLine(previous, record, sha256);
    lines.push(line);
    previous = check;
  }
  writeFileSync(join(run, 'journal'), Buffer.concat(lines));
}

const uses: Readonly<Record<string, (run: string) => Promise<unknown>>> = {
  verify: (run) => verifyFolder(run),
  report: async (run) => reportRun(await openRun(run)),
  export: (run) => exportRun(run, { what: 'total', format: 'csv', out: join(run, 'total.csv') }),
  resume: async (run) => (await resumeRun(run)).close(),
};

/** Runs whose checksums fit and whose content does not: read, reported, exported, resumed, each ends well or with the project's error. */
export async function resignedRuns(count: number, random: Random, folder: string): Promise<Outcome> {
  const good = join(folder, 'good');
  await completeRun(good);
  const bad: string[] = [];
  for (let k = 0; k < count; k++) {
    const run = join(folder, 'resigned');
    rmSync(run, { recursive: true, force: true });
    cpSync(good, run, { recursive: true });
    resign(run, random);
    for (const [use, act] of Object.entries(uses)) {
      try {
        await act(run);
      } catch (error) {
        if (!isLossledgerError(error))
          bad.push(`${use}: ${error instanceof Error ? error.stack : String(error)}`);
      }
    }
  }
  return { what: 're-signed run folders read, reported, exported, resumed', tried: count, failures: bad };
}
