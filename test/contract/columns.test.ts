import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { arraysOf } from '../../src/format/layout/arrays.js';
import { csvLines } from '../../src/format/export.js';
import { verifyRun } from '../../src/format/verify/verify.js';
import type { Allocated } from '../../src/ledger/allocate.js';
import type { Axis, Column } from '../../src/ledger/column.js';
import { columnEntries, columns } from '../../src/ledger/columns.js';
import { folderPlace } from '../../src/store/files.js';
import { createRunFolder, openRun } from '../../src/store/open.js';
import { collect, finish, smallManifest } from '../support/run-folder.js';

const extents: Readonly<Record<Axis, string>> = {
  segment: 'T', row: 'T+1', part: 'parts', component: 'components', layer: 'layers', neuron: 'neurons', tensor: 'tensors', cell: 'cells', parameter: 'K', byte: 'bytes', direction: 'directions',
}; // prettier-ignore
const owners = { objective: '/OBJECTIVE', grouping: '/OBJECTIVE/GROUPING', run: '' };
const kept = { neurons: '`--keep parameters`, `neurons`', parameters: '`--keep parameters`' };

/** A column's row of the table of docs/FORMAT.md. */
function rowOf([name, { axes, dtype, of, unit, description, finest }]: readonly [string, Column]): string[] {
  return [
    `\`${name}${owners[of]}\``,
    `[${axes.map((axis) => extents[axis]).join(', ')}]`,
    dtype === 'allocation' ? 'float32' : dtype,
    unit === 'loss' ? 'nats' : unit,
    `${description}${finest === undefined ? '' : ` (${kept[finest]})`}`,
  ];
}

describe('the table of columns', () => {
  it('is what docs/FORMAT.md says', () => {
    const text = readFileSync(resolve(import.meta.dirname, '../../docs/FORMAT.md'), 'utf8');
    const rows = text.split('\n').map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
    for (const entry of columnEntries()) expect(rows, entry[0]).toContainEqual(rowOf(entry));
  });
});

describe('a column with a condition', () => {
  it('is stored where that holds', () => {
    const named = (rule: string) => {
      const { quadrature } = smallManifest(2);
      return arraysOf(smallManifest(2, { quadrature: { ...quadrature, rule: rule as 'simpson' } })).map(
        ({ name }) => name,
      );
    };
    expect(named('simpson')).toContain('left_residual/train');
    expect(named('simpson').join()).not.toMatch(/undetermined/);
    const ofEnds = /^(left_residual|gradient_sign|sign_changes|gradient_norm|part_gradient_norm)\//;
    expect(named('midpoint')).toEqual(named('simpson').filter((name) => !ofEnds.test(name)));
  });
});

describe('columns of certainty', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lossledger-'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('are stored, viewed and verified where errors are estimated', async () => {
    const { quadrature } = smallManifest(3);
    const content = smallManifest(3, { quadrature: { ...quadrature, certify: 0.5 }, keep: 'layers' });
    const run = await createRunFolder(join(folder, 'run'), content);
    await finish(run, content);
    await run.close();
    const view = await (await openRun(join(folder, 'run'))).view();
    expect(view.certify).toBe(0.5);
    expect(Math.max(...view.column('undetermined', 'mine'))).toBeGreaterThan(0);
    expect(view.rows('entity_undetermined', 'mine', 'kind')).not.toBeNull();
    expect(await verifyRun(folderPlace(join(folder, 'run')))).toEqual([]);
  });
});

describe('a column that is added to the table', () => {
  const table = columns as Record<string, Column>;
  const folder = mkdtempSync(join(tmpdir(), 'lossledger-'));
  afterEach(() => {
    delete table['motion'];
    rmSync(folder, { recursive: true, force: true });
  });

  it('is stored, viewed, exported and verified by that alone', async () => {
    const squares = ({ delta }: Allocated) => delta.reduce((total, step) => total + step * step, 0);
    table['motion'] = {
      dtype: 'float64',
      axes: ['segment'],
      of: 'objective',
      unit: '1',
      description: 'squared length of the motion',
      measure: squares,
      law: (row) =>
        row('motion')![0]! >= 0 ? [] : [{ what: 'motion and 0', layer: null, deviation: 1, bound: 0 }],
    };
    const content = smallManifest(3);
    const run = await createRunFolder(join(folder, 'run'), content);
    await finish(run, content);
    await run.close();

    const opened = await openRun(join(folder, 'run'));
    const motion = (await opened.view()).column('motion' as 'residual', 'mine');
    expect(motion).toHaveLength(3);
    for (const value of motion) expect(value).toBeGreaterThan(0);
    const lines = await collect(csvLines(opened.array('motion/mine')));
    expect(lines.map((line) => Number(line.split(',')[1]))).toEqual([NaN, ...motion]);
    expect(await verifyRun(folderPlace(join(folder, 'run')))).toEqual([]);
  });

  it('has its law enforced', async () => {
    table['motion'] = {
      dtype: 'float64',
      axes: ['segment'],
      of: 'objective',
      unit: '1',
      description: 'a number below zero',
      measure: () => -1,
      law: (row) =>
        row('motion')![0]! >= 0 ? [] : [{ what: 'motion and 0', layer: null, deviation: 1, bound: 0 }],
    };
    const content = smallManifest(2);
    const run = await createRunFolder(join(folder, 'other'), content);
    await finish(run, content);
    await run.close();
    const findings = await verifyRun(folderPlace(join(folder, 'other')));
    expect(findings.map(({ what }) => what).join()).toMatch(/motion and 0 differ .*mine, segment 1/);
  });
});
