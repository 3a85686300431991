import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { lstat, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

/** What a draft becomes: a folder (`new`), a file as a whole (`tmp`), an exported file (`partial`), the part of a task (`part`). */
type Draft = 'new' | 'tmp' | 'partial' | 'part';

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
  const owner = `${here()}-${process.pid}-${startOf(process.pid) ?? ''}-${randomBytes(6).toString('hex')}`;
  return join(dirname(resolve(path)), `${stemOf(path)}.${owner}.${kind}`);
}

/** Removes drafts of `path` whose processes were killed. Does nothing where the folder cannot be read. */
export async function removeDeadDrafts(path: string, kind: Draft): Promise<void> {
  for (const { draft, isHere, maker } of await draftsBeside(path, kind)) {
    if (isHere ? isRunning(maker) : await isYoung(draft)) continue;
    await rm(draft, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Drafts of `path` whose processes ran on this machine and have ended. */
export async function deadDrafts(path: string, kind: Draft): Promise<string[]> {
  const drafts = await draftsBeside(path, kind);
  return drafts.flatMap(({ draft, isHere, maker }) => (isHere && !isRunning(maker) ? [draft] : []));
}

/** Drafts of `path`, each with the process that made it, and whether that was on this machine. None where the folder cannot be read. */
async function draftsBeside(
  path: string,
  kind: Draft,
): Promise<{ draft: string; isHere: boolean; maker: NamedProcess }[]> {
  const folder = dirname(resolve(path));
  const stem = `${stemOf(path)}.`;
  return (await readdir(folder).catch(() => [])).flatMap((name) => {
    if (!name.startsWith(stem)) return [];
    const match = /^([0-9a-f]{8})-(\d+)-(\d*)-[0-9a-f]{12}\.(\w+)$/.exec(name.slice(stem.length));
    if (match?.[4] !== kind) return [];
    const maker = { pid: Number(match[2]), started: match[3] || null };
    return [{ draft: join(folder, name), isHere: match[1] === here(), maker }];
  });
}

async function isYoung(path: string): Promise<boolean> {
  const status = await lstat(path).catch(() => null);
  return status === null || Date.now() - status.mtimeMs < patienceMs;
}

/** A process by its number and when it started, in the system's own unit: numbers are used again. Null where the system does not tell. */
export interface NamedProcess {
  readonly pid: number;
  readonly started: string | null;
}

/** Whether that process runs on this machine; where its start is not known, whether one of that number does. */
export function isRunning({ pid, started }: NamedProcess): boolean {
  if (started !== null) return startOf(pid) === started;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Start time of a running process from Linux's /proc/PID/stat (fields 3 and 22); null for one that is gone or a zombie. */
export function startOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : fields[19]!;
  } catch {
    return null;
  }
}
