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

it('commas and quotes inside of quotes are part of a name', async () => {
  const { names, width } = await readGroups(saved(Buffer.from('"cat, wild","a ""b"""\r\n dog ,"x;y"\r\n')));
  expect([names, width]).toEqual([['cat, wild', 'a "b"', 'dog', 'x;y'], 2]);
});

it.each([
  ['semicolons', '0;cat\n1;dog\n'],
  ['tabs', 'id\tgroup\n0\tcat\n'],
])('columns apart by %s are refused, since each line would be a group of its own', async (name, text) => {
  await expect(readGroups(saved(Buffer.from(text)))).rejects.toThrow(
    new RegExp(`with ${name}, as every line`),
  );
});

it('text stored with its first axis fastest is read in the order of its axes', async () => {
  // numpy.save of numpy.array([["a", "b"], ["c", "d"], ["e", "f"]], order="F"): a, c, e, b, d, f.
  const header = "{'descr': '<U1', 'fortran_order': True, 'shape': (3, 2), }".padEnd(117) + '\n';
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length, 0]);
  const path = join(folder, 'groups.npy');
  writeFileSync(path, Buffer.concat([start, Buffer.from(header), Buffer.from([...'acebdf'].flatMap((letter) => [letter.charCodeAt(0), 0, 0, 0]))])); // prettier-ignore
  expect((await readGroups(path)).names).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
});
