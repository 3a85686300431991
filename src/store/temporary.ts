import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { lstat, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

/** What a draft becomes: a folder (`new`), a file as a whole (`tmp`), an exported file (`partial`). */
type Draft = 'new' | 'tmp' | 'partial';

/** Characters of a name that are kept in that of its draft, so that the longest allowed name has one too. */
const keptCharacters = 100;
/** A draft of another machine, whose processes nobody can ask for here, is given up at this age. */
const patienceMs = 24 * 3600 * 1000;

/** Boot and process namespace in which the number of a process means something; empty where the system does not tell. */
export function realm(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return '';
  }
}

function here(): string {
  return createHash('sha256').update(`${hostname()} ${realm()}`).digest('hex').slice(0, 8);
}

function stemOf(path: string): string {
  return [...basename(path)].slice(0, keptCharacters).join('');
}

/** A name beside `path` that no other process guesses or uses, for what will be renamed to it. */
export function draftOf(path: string, kind: Draft): string {
  const owner = `${here()}-${process.pid}-${randomBytes(6).toString('hex')}`;
  return join(dirname(resolve(path)), `${stemOf(path)}.${owner}.${kind}`);
}

/** Removes drafts of `path` whose processes were killed. Does nothing where the folder cannot be read. */
export async function removeDeadDrafts(path: string, kind: Draft): Promise<void> {
  const folder = dirname(resolve(path));
  const stem = `${stemOf(path)}.`;
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(stem)) continue;
    const match = /^([0-9a-f]{8})-(\d+)-[0-9a-f]{12}\.(\w+)$/.exec(name.slice(stem.length));
    if (match?.[3] !== kind) continue;
    const draft = join(folder, name);
    if (match[1] === here() ? isRunning(Number(match[2])) : await isYoung(draft)) continue;
    await rm(draft, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function isYoung(path: string): Promise<boolean> {
  const status = await lstat(path).catch(() => null);
  return status === null || Date.now() - status.mtimeMs < patienceMs;
}

/** Whether there is a process of that number, on this machine. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
