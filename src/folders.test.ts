import { chmodSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../test/support/cli.js';
import { cacheFolder, makeFolder, reasonToDistrust } from './folders.js';

describe('makeFolder', () => {
  const root = temporaryFolder();

  it('makes what is missing, with the permissions asked for, and lets be what is there', async () => {
    await makeFolder(join(root, 'a/b/c'), 0o700);
    for (const path of ['a', 'a/b', 'a/b/c']) expect(statSync(join(root, path)).mode & 0o777).toBe(0o700);
    await makeFolder(join(root, 'a/b'));
    expect(statSync(join(root, 'a/b')).mode & 0o777).toBe(0o700);
    mkdirSync(join(root, 'there'));
    symlinkSync(join(root, 'there'), join(root, 'link'));
    await makeFolder(join(root, 'link/d'));
    expect(existsSync(join(root, 'there/d'))).toBe(true);
  });

  it('several at once make the same', async () => {
    await Promise.all(Array.from({ length: 8 }, () => makeFolder(join(root, 'many/of/them'))));
    expect(existsSync(join(root, 'many/of/them'))).toBe(true);
  });

  it('ends where a file is in the way, and where the system makes no folders', async (ctx) => {
    writeFileSync(join(root, 'file'), '');
    await expect(makeFolder(join(root, 'file'))).rejects.toThrow(/EEXIST/);
    await expect(makeFolder(join(root, 'file/below/it'))).rejects.toThrow(/ENOTDIR/);
    if (!existsSync('/proc/self')) ctx.skip('this system has no /proc');
    await expect(makeFolder('/proc/.cache/lossledger')).rejects.toThrow(/ENOENT|EACCES|EPERM/);
  });
});

describe('cacheFolder', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('lies below XDG_CACHE_HOME where that is a whole path, else below the home', () => {
    vi.stubEnv('XDG_CACHE_HOME', '/caches');
    expect(cacheFolder('native')).toBe('/caches/lossledger/native');
    for (const other of ['', 'caches']) {
      vi.stubEnv('XDG_CACHE_HOME', other);
      expect(cacheFolder('native')).toBe(join(homedir(), '.cache/lossledger/native'));
    }
  });
});

describe('reasonToDistrust', () => {
  const root = temporaryFolder();

  it('is none where a folder is ours alone to write; links and what others may write are distrusted', async () => {
    const folder = join(root, 'own');
    mkdirSync(folder, { mode: 0o755 });
    expect(await reasonToDistrust(folder)).toBeNull();
    chmodSync(folder, 0o775);
    expect(await reasonToDistrust(folder)).toMatch(/others may write/);
    symlinkSync(folder, join(root, 'link'));
    expect(await reasonToDistrust(join(root, 'link'))).toMatch(/link/);
    if (existsSync('/root') && process.getuid?.() !== 0) expect(await reasonToDistrust('/root')).toMatch(/somebody else/);
  });
}); // prettier-ignore
