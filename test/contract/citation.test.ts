import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';

const fileOf = (name: string) => readFileSync(resolve(import.meta.dirname, '../..', name), 'utf8');

it('CITATION.cff states what package.json states', () => {
  const { version, license } = JSON.parse(fileOf('package.json')) as { version: string; license: string };
  expect(parse(fileOf('CITATION.cff'))).toMatchObject({
    'cff-version': '1.2.0',
    title: 'Lossledger',
    version,
    license,
  });
});
