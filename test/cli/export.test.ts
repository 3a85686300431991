import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lca, temporaryFolder } from '../support/cli.js';

describe('lca export', () => {
  it('says how much of an unfinished run is there', async () => {
    const run = join(temporaryFolder(), 'trained');
    const size = ['--iterations', '2', '--subset', '500', '--quiet'];
    expect(
      (await lca(['train', 'mnist-fc-sgd', ...size, '--engine', 'onnxruntime', '--out', run])).code,
    ).toBe(0);
    const unfinished = await lca(['export', run, '--what', 'loss']);
    expect(unfinished).toMatchObject({ code: 0, stdout: 'row,loss/train\n' });
    expect(unfinished.stderr).toMatch(/0 of 3 rows/);

    expect((await lca(['resume', run, '--quiet'])).code).toBe(0);
    const finished = await lca(['export', run, '--what', 'loss']);
    expect(finished.stdout.split('\n')).toHaveLength(5);
    expect(finished.stderr).not.toMatch(/unfinished/);
  });
});
