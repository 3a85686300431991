import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/cli.js';
import { readGroups } from './groups.js';

const folder = temporaryFolder();
function saved(bytes: Uint8Array): string {
  const path = join(folder, 'groups.csv');
  writeFileSync(path, bytes);
  return path;
}

it('names of a text file are read in UTF-8, with or without its mark, U+FFFD as any letter', async () => {
  const { names, width } = await readGroups(saved(Buffer.from('\ufeffcafé\nth\ufffd\n')));
  expect([names, width]).toEqual([['café', 'th\ufffd'], 1]);
});

it.each([
  ['Latin-1', Buffer.from('ok\ncaf\xe9\ncaf\xe8\n', 'latin1'), /line 2, as in a file in Latin-1 .*UTF-8.*iconv -f WINDOWS-1252/s],
  ['UTF-16', Buffer.from('\ufeffa\nb\n', 'utf16le'), /line 1, as in a file in UTF-16.*iconv -f UTF-16/s],
])('a file in %s is refused, since names would become one', async (_, bytes, words) => {
  await expect(readGroups(saved(bytes))).rejects.toThrow(words);
}); // prettier-ignore
