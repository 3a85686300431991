import { describe, expect, it } from 'vitest';
import { decodeIndex, encodeIndex } from './packs.js';

const files = new Map([
  ['journal', { pack: 'parts/3/part.a.part/1', offset: 40, length: 7 }],
  ['ledger.zarr/loss/train/c/0', { pack: 'parts/3/part.b.part/0', offset: 0, length: 40 }],
]);

describe('the index of packs', () => {
  it('says again what was written', () => {
    expect(decodeIndex(encodeIndex(files), 'x')).toEqual(files);
  });

  it.each([
    ['no JSON', '{'],
    ['another format', '{"format":"zip"}'],
    ['a pack outside the parts', indexOf('manifest.json', 'journal')],
    ['a pack that it lacks', '{"format":"lossledger-packs","formatVersion":1,"packs":[],"files":{"journal":[0,0,1]}}'],
    ['a way up', indexOf('parts/0/d/0', '../../x')],
    ['a path from the root', indexOf('parts/0/d/0', '/etc/x')],
    ['a hidden file', indexOf('parts/0/d/0', 'a/.b')],
    ['a negative place', indexOf('parts/0/d/0', 'journal', -1)],
  ])('with %s is damaged', (_, text) => {
    expect(() => decodeIndex(Buffer.from(text), 's3://b/run/parts/0/part-0')).toThrow(/parts\/0\/part-0 is damaged/);
  }); // prettier-ignore
});

function indexOf(pack: string, path: string, offset = 0): string {
  return JSON.stringify({ format: 'lossledger-packs', formatVersion: 1, packs: [pack], files: { [path]: [0, offset, 1] } }); // prettier-ignore
}
