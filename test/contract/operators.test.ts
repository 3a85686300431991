import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { operatorsDocument } from '../../scripts/operators.js';

it('docs/OPERATORS.md says which operators each engine knows, as the registries do (npm run operators)', async () => {
  const text = readFileSync(resolve(import.meta.dirname, '../../docs/OPERATORS.md'), 'utf8');
  expect(text).toBe(await operatorsDocument(text));
});
