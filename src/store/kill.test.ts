import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { filesOf, finish, lastingOf, segmentOf, smallManifest, temporaryFolder, thetaOf } from '../../test/support/run-folder.js'; // prettier-ignore
import { createRunFolder, openRun, resumeRun } from './open.js';
import { verifyRun } from '../format/verify/verify.js';
import { folderPlace } from './files.js';

const T = 60;
const script = join(import.meta.dirname, '../../test/support/run-folder-child.ts');
const node = [process.execPath, '--import', 'tsx', script];

let place: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  place = temporaryFolder();
});
afterEach(() => {
  place.remove();
});

async function wholeRun(): Promise<Record<string, string>> {
  const folder = join(place.parent, 'whole');
  const content = smallManifest(T);
  const run = await createRunFolder(folder, content);
  await finish(run, content);
  await run.close();
  return lastingOf(folder);
}

function start(command = node, uid?: number): ChildProcess {
  return spawn(command[0]!, [...command.slice(1), place.run, String(T)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid }),
  });
}

/** A child that holds the lock, and the promise of its end, which may come before anybody waits for it. */
async function begun(child = start()): Promise<{ child: ChildProcess; closed: Promise<unknown> }> {
  const closed = once(child, 'close');
  const failed = textOf(child, 'stderr').then((message) => {
    throw new Error(`a child ended before it began: ${message}`);
  });
  await Promise.race([once(child.stdout!, 'data'), failed]);
  failed.catch(() => undefined);
  return { child, closed };
}

async function textOf(child: ChildProcess, stream: 'stdout' | 'stderr'): Promise<string> {
  let text = '';
  child[stream]!.on('data', (data: Buffer) => (text += data.toString()));
  await once(child, 'close');
  return text;
}

describe('a process that is killed', () => {
  it('leaves a run that goes on at once and ends with the same bytes', async () => {
    const whole = await wholeRun();
    let segments = -1;
    for (let round = 0; round < 5; round++) {
      const { child, closed } = await begun();
      await sleep(10 + 110 * Math.random());
      child.kill('SIGKILL');
      await closed;
      const { status } = await openRun(place.run);
      expect(status.segments).toBeGreaterThanOrEqual(segments);
      segments = status.segments;
      expect(await verifyRun(folderPlace(place.run))).toEqual([]);
    }
    const run = await resumeRun(place.run);
    await finish(run, smallManifest(T));
    await run.close();
    expect(lastingOf(place.run)).toEqual(whole);
  });

  it('is not taken for dead while it runs', async () => {
    const { child, closed } = await begun();
    child.kill('SIGSTOP');
    await expect(resumeRun(place.run)).rejects.toThrow(`process ${child.pid!}`);
    child.kill('SIGKILL');
    await closed;
    await (await resumeRun(place.run)).close();
  });
});

describe('a process that was suspended while another one took its lock over', () => {
  it('writes nothing any more, neither rows nor segments', async () => {
    const content = smallManifest(T);
    const run = await createRunFolder(place.run, content);
    for (let row = 0; row < 3; row++) await run.writeTheta(row, thetaOf(row, run.layout.size));
    await run.commitSegment(segmentOf(content, 0));
    await run.flush();
    const lock = join(place.run, 'lock');
    const own = JSON.parse(readFileSync(lock, 'utf8')) as object;
    writeFileSync(lock, JSON.stringify({ ...own, host: 'elsewhere', token: 'other' }));
    const before = filesOf(place.run);
    await expect(run.writeTheta(3, thetaOf(3, run.layout.size))).rejects.toThrow(/no longer belongs/);
    await expect(run.commitSegment(segmentOf(content, 1))).rejects.toThrow(/no longer belongs/);
    expect(filesOf(place.run)).toEqual(before);
    await run.close();
    expect(filesOf(place.run)).toEqual(before);
  });
});

const ownMounts = spawnSync('unshare', ['-rm', 'true']).status === 0;

describe('a full disk', () => {
  it.skipIf(!ownMounts)(
    'stops the run with a message and status 1, and it goes on with more room',
    async () => {
      const script = `mount -t tmpfs -o size=600k none "$0"
      "$@" "$0/run" ${T}; echo "status $?"
      mount -o remount,size=64m "$0"
      "$@" "$0/run" ${T} && cp -r "$0/run" "$0/../full"`;
      mkdirSync(join(place.parent, 'disk'));
      const child = spawn('unshare', ['-rm', 'bash', '-c', script, join(place.parent, 'disk'), ...node]);
      const output = await Promise.all([textOf(child, 'stdout'), textOf(child, 'stderr')]);
      expect(output[0]).toMatch(/status 1\nbegun\ndone/);
      expect(output[1]).toMatch(/ENOSPC[^]*free space on the disk/);
      expect(lastingOf(join(place.parent, 'full'))).toEqual(await wholeRun());
    },
  );
});

describe('a disk that can only be read from some moment on', () => {
  it.skipIf(!ownMounts)('stops the run with a message and status 2, and it goes on with another one', async () => {
    const script = `"$@" "$0/run" 3000 & child=$!
      until [ -e "$0/run/pending/0" ]; do sleep 0.05; done
      mount --bind "$0/run" "$0/run"
      # Refused while a file is open for writing there.
      until mount -o remount,bind,ro "$0/run" 2>/dev/null || ! kill -0 $child; do sleep 0.001; done
      wait $child; echo "status $?"`;
    const child = spawn('unshare', ['-rm', 'bash', '-c', script, place.parent, ...node]);
    const output = await Promise.all([textOf(child, 'stdout'), textOf(child, 'stderr')]);
    expect(output[1]).toMatch(/EROFS[^]*a file system that can be written[^]*resume the run/);
    expect(output[1]).not.toMatch(/\n\s+at /);
    expect(output[0]).toMatch(/status 2/);
    const run = await resumeRun(place.run);
    await run.close();
    expect(await verifyRun(folderPlace(place.run))).toEqual([]);
  }); // prettier-ignore
});

/** Whom permissions bind: whoever runs the tests, but for root, who lets somebody else write. */
const writer = process.getuid?.() === 0 ? 65534 : undefined;
const canWriteAs = spawnSync(process.execPath, ['--import', 'tsx', '-e', '0'], writer === undefined ? {} : { uid: writer }).status === 0; // prettier-ignore

describe('permission that is lost on the way', () => {
  it.skipIf(!canWriteAs)(
    'stops the run with a message, and it goes on where it may write again',
    async () => {
      const whole = await wholeRun();
      chmodSync(place.parent, 0o777);
      const child = start(node, writer);
      await once(child.stdout!, 'data');
      setMode(place.run, 0o555);
      expect(await textOf(child, 'stderr')).toMatch(/could not (make|write) .*\(EACCES\)[^]*permission/);
      expect(child.exitCode).toBe(2);
      setMode(place.run, 0o755);
      expect(await verifyRun(folderPlace(place.run))).toEqual([]);
      const run = await resumeRun(place.run);
      await finish(run, smallManifest(T));
      await run.close();
      expect(lastingOf(place.run)).toEqual(whole);
    },
  );
});

/** Sets the mode of a folder and of all folders below it. */
function setMode(folder: string, mode: number): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isDirectory()) chmodSync(join(entry.parentPath, entry.name), mode);
  chmodSync(folder, mode);
}

describe('a limit on the size of files', () => {
  it.skipIf(process.platform === 'win32')(
    'stops the run with a message, and it goes on without',
    async () => {
      const limited = ['bash', '-c', `trap '' XFSZ; ulimit -f 24; exec "$@"`, 'bash', ...node];
      const child = start(limited);
      const message = await textOf(child, 'stderr');
      expect(child.exitCode).toBe(1);
      expect(message).toMatch(/could not write .*(journal|pending\/0) \(EFBIG\)/);
      const { status } = await openRun(place.run);
      expect(status.segments).toBeGreaterThan(0);
      expect(await verifyRun(folderPlace(place.run))).toEqual([]);
      const run = await resumeRun(place.run);
      await finish(run, smallManifest(T));
      await run.close();
      expect(lastingOf(place.run)).toEqual(await wholeRun());
    },
  );
});
