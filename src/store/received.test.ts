import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  completeRun,
  filesOf,
  finish,
  segmentOf,
  smallManifest,
  train,
} from '../../test/support/run-folder.js';
import { runPlace } from '../../test/support/run-place.js';
import { verifyRun } from '../format/verify/verify.js';
import { folderPlace } from './files.js';
import { writeResult } from './place.js';
import { createRunFolder, openRun, resumeRun } from './open.js';
import { draftOf } from './temporary.js';

const manifest = smallManifest(7);
const place = runPlace();

/** A folder of somebody else, with a file that must stay as it is. */
function elsewhere(): string {
  const folder = join(place.parent, 'elsewhere');
  mkdirSync(folder);
  writeFileSync(join(folder, 'precious'), 'precious');
  return folder;
}

describe('links in a run that somebody else made', () => {
  it.each([
    ['a chunk', 'ledger.zarr/theta/c/1/0', 'precious'],
    ['a folder of chunks', 'ledger.zarr/theta/c/1', ''],
    ['a folder of arrays', 'ledger.zarr/total', ''],
    ['the records', 'pending', ''],
    ['a record', 'pending/0', 'precious'],
    ['the lock', 'lock', 'precious'],
  ])('are not written through: %s', async (_, path, target) => {
    await (await createRunFolder(place.run, manifest)).close();
    const folder = elsewhere();
    rmSync(join(place.run, path), { recursive: true, force: true });
    mkdirSync(dirname(join(place.run, path)), { recursive: true });
    symlinkSync(join(folder, target), join(place.run, path));
    await resumeRun(place.run)
      .then((run) => finish(run, manifest).finally(() => run.close()))
      .catch((error: unknown) => {
        expect(error).toMatchObject({ tag: 'store', exitCode: 2 });
        expect(String(error)).toMatch(/link/);
      });
    expect(Object.fromEntries(filesOf(folder))).toEqual({ precious: Buffer.from('precious') });
  });

  it('are not written through where they come in the place of the records while the run is written', async () => {
    const run = await createRunFolder(place.run, manifest);
    await train(run, manifest);
    await run.commitSegment(segmentOf(manifest, 0));
    await run.flush();
    const folder = elsewhere();
    renameSync(join(place.run, 'pending'), join(place.run, 'away'));
    symlinkSync(folder, join(place.run, 'pending'));
    await expect(finish(run, manifest)).rejects.toThrow(/pending, which was moved, deleted or replaced/);
    await expect(run.close()).rejects.toMatchObject({ tag: 'store', exitCode: 2 });
    expect(Object.fromEntries(filesOf(folder))).toEqual({ precious: Buffer.from('precious') });
    rmSync(join(place.run, 'pending'));
    renameSync(join(place.run, 'away'), join(place.run, 'pending'));
    const again = await resumeRun(place.run);
    await finish(again, manifest);
    await again.close();
    expect(await verifyRun(folderPlace(place.run))).toEqual([]);
  });

  it('are replaced by a result, whose folder must be the run’s own', async () => {
    await completeRun(place.run, manifest);
    const folder = elsewhere();
    symlinkSync(join(folder, 'precious'), join(place.run, 'report.html'));
    symlinkSync(join(folder, 'precious'), join(place.run, 'report.html.tmp'));
    await writeResult(place.run, 'report.html', 'page');
    expect(readFileSync(join(place.run, 'report.html'), 'utf8')).toBe('page');
    symlinkSync(folder, join(place.run, 'analysis'));
    await expect(writeResult(place.run, 'analysis/run.json', '{}')).rejects.toThrow(/a link leads to/);
    expect(Object.fromEntries(filesOf(folder))).toEqual({ precious: Buffer.from('precious') });
  });
});

describe('what is no plain file', () => {
  it('is not replaced by a result', async () => {
    const pipe = join(place.parent, 'pipe');
    execFileSync('mkfifo', [pipe]);
    await expect(writeResult(place.parent, 'pipe', 'page')).rejects.toThrow(/pipe, which is no plain file/);
    expect(statSync(pipe).isFIFO()).toBe(true);
  });

  it.each(['manifest.json', 'journal', 'ledger.zarr/theta/c/0/0', 'lock'])(
    'is refused, not waited for: %s',
    async (path) => {
      await completeRun(place.run, manifest);
      rmSync(join(place.run, path), { force: true });
      symlinkSync('/dev/zero', join(place.run, path));
      const used = resumeRun(place.run).then((run) => run.theta(0).finally(() => run.close()));
      await expect(used).rejects.toThrow(/a folder, a device or a pipe[^]*a plain file/);
      rmSync(join(place.run, path));
      mkdirSync(join(place.run, path));
      await expect(
        resumeRun(place.run).then((run) => run.theta(0).finally(() => run.close())),
      ).rejects.toThrow(/expected:/);
    },
  );
});

describe('drafts', () => {
  it('of processes that were killed are taken away; those of others are let be', async () => {
    const killed = Number(execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }));
    const own = draftOf(place.run, 'new');
    const dead = own.replace(`-${process.pid}-`, `-${killed}-`);
    // A process that was killed had the number that this one has now.
    const earlier = own.replace(/-\d+(-[0-9a-f]{12}\.new)$/, '-1$1');
    for (const path of [own, dead, earlier]) mkdirSync(path, { recursive: true });
    await (await createRunFolder(place.run, manifest)).close();
    const isTold = existsSync('/proc/self/stat');
    expect([own, dead, earlier].map((path) => existsSync(path))).toEqual([true, false, !isTold]);
  });

  it('have names of a length that is allowed wherever that of the whole is', async () => {
    const long = join(place.parent, 'r'.repeat(250));
    await completeRun(long, manifest);
    expect((await openRun(long)).status.sealed).toBe(true);
    await expect(createRunFolder(join(place.parent, 'r'.repeat(256)), manifest)).rejects.toThrow(
      /ENAMETOOLONG[^]*at most 255 bytes/,
    );
  });
});
