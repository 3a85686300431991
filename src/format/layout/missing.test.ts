import { expect, it } from 'vitest';
import type { columns } from '../../ledger/columns.js';
import type { ArraySpec } from './arrays.js';
import { noArray } from './missing.js';

const names = [
  'theta',
  'allocation/train',
  'loss/train',
  'entity_sums/train/input',
  'entity_sums/train/kind',
];
const problemOf = (name: string) =>
  noArray(
    'RUN',
    names.map((own) => ({ name: own }) as ArraySpec),
    name,
  ).problem;

it('names what the run has of a column, or its columns', () => {
  expect(problemOf('entity_sums/train/heads').expected).toBe(
    'one of entity_sums/train/input, entity_sums/train/kind',
  );
  expect(problemOf('alocation')).toEqual({
    given: 'RUN has no array alocation',
    expected: 'one of what it has: theta, allocation, loss, entity_sums',
    remedy: 'choose one of these',
  });
});

it('says which options store a column', () => {
  const remedyFor = (column: keyof typeof columns) => problemOf(`${column}/train`).remedy;
  expect(remedyFor('part_layer_sums')).toMatch(/made with --parts class or a file of groups$/);
  expect(remedyFor('part_allocation')).toMatch(/--keep-parts parameters$/);
  expect(remedyFor('component_sums')).toMatch(/--components$/);
  expect(remedyFor('undetermined')).toMatch(/--certify SHARE$/);
  expect(remedyFor('gradient_norm')).toMatch(/--rule simpson$/);
  expect(remedyFor('neuron_sums')).toMatch(/--keep neurons$/);
});
