import { describe, expect, it } from 'vitest';
import { net, numbers, read, recorded, recording, still } from '../../test/support/recorded-net.js';
import type { KnownTensor } from '../../test/support/recording.js';

describe('of a recording that grows, tensors that have not moved yet', () => {
  it('are trained whatever they look like, since rows to come may move them', async () => {
    const table: KnownTensor = { name: 'table', shape: [3], verdict: 'constant', data: numbers(6, 0, 3) };
    const path = recording({ ...recorded, table: still(6, [3]) });
    const own = net.map(({ name }) => name);
    expect((await read(path, [...net, table])).names).toEqual(own);
    expect((await read(path, [...net, table], { follow: true })).names).toEqual([...own, 'table']);
  });

  it('are not said to have learned nothing', async () => {
    const path = recording(Object.fromEntries(net.map(({ name, shape }, k) => [name, still(k, shape)])));
    expect((await read(path)).said).toMatch(/rows of the trajectory: all rows are the same/);
    expect((await read(path, net, { follow: true })).said).not.toMatch(/rows of the trajectory/);
  });
});
