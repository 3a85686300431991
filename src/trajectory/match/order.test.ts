import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { npyFile } from '../../../test/support/npz.js';
import { net, newPath, numbers, read } from '../../../test/support/recorded-net.js';
import { type KnownTensor } from '../../../test/support/recording.js';
import { DataError } from '../../errors.js';
import { sizeOf } from '../../formats/array.js';

describe('θ without names', () => {
  const theta = (tensors: readonly KnownTensor[], order: readonly number[]) => {
    const path = newPath('npy');
    const rows = [0, 1, 2].flatMap((row) =>
      order.flatMap((k) => [...numbers(k, row, sizeOf(tensors[k]!.shape))]),
    );
    writeFileSync(path, npyFile(Float32Array.from(rows), [3, rows.length / 3]));
    return path;
  };
  const valued = (row: number) =>
    net.map((tensor, k) => ({ ...tensor, data: numbers(k, row, sizeOf(tensor.shape)) }));

  it('is ordered by the model file’s values, in whatever order that file lists them', async () => {
    const { row, said } = await read(theta(net, [2, 0, 1]), valued(2), { declared: null });
    expect(row).toEqual([0, 1, 2].flatMap((k) => [...numbers(k, 1, sizeOf(net[k]!.shape))]));
    expect(said).toMatch(
      /order of θ: b\.weight, a\.weight, a\.bias \(the numbers in the model’s file are those of row 2/,
    );
  });

  it('is refused where nothing shows its order, and read by names that are given', async () => {
    const path = theta(net, [0, 1, 2]);
    await expect(read(path, net, { declared: null })).rejects.toThrow(
      /nothing that shows the order[^]*--names/,
    );
    await expect(read(path, valued(9), { declared: null })).rejects.toThrow(DataError);
    const names = ['a.weight', 'a.bias', 'b.weight'];
    expect((await read(path, net, { declared: null, names })).said).toMatch(/names, as given/);
    await expect(read(path, net, { declared: null, names: names.slice(1) })).rejects.toThrow(
      /15 numbers a row where the names given have 9/,
    );
  });

  it('follows the numbers of a sequential network, and an exporter that keeps the order', async () => {
    const sequence = [
      { name: '2.weight', shape: [2, 2] },
      { name: '0.bias', shape: [3] },
      { name: '0.weight', shape: [3, 1] },
    ];
    const { row, said } = await read(theta(sequence, [2, 1, 0]), sequence, { declared: null });
    expect(row).toEqual([0, 1, 2].flatMap((k) => [...numbers(k, 1, sizeOf(sequence[k]!.shape))]));
    expect(said).toMatch(/0\.weight, 0\.bias, 2\.weight \(the names of a sequential network\)/);
    expect((await read(theta(net, [0, 1, 2]), net, { declared: 'exporter X' })).said).toMatch(
      /exporter X keeps the order/,
    );
  });

  it('does not follow an exporter where it made tensors of others, whose places and numbers are its own', async () => {
    const folded = net.map((tensor, k) =>
      k === 2 ? { ...tensor, name: 'onnx::LSTM_7', anonymous: true } : tensor,
    );
    await expect(read(theta(net, [0, 1, 2]), folded, { declared: 'exporter X' })).rejects.toThrow(
      /nothing that shows the order[^]*do_constant_folding=False/,
    );
  });

  it('is refused where equal tensors leave two orders open and no exporter tells', async () => {
    const twins: readonly KnownTensor[] = ['q', 'p'].map((name) => ({
      name,
      shape: [2],
      data: new Float32Array(2),
    }));
    const path = newPath('npy');
    writeFileSync(path, npyFile(Float32Array.of(0, 0, 0, 0, 1, 2, 3, 4), [2, 4]));
    await expect(read(path, twins, { declared: null })).rejects.toThrow(
      /parameter 1 may be q or p: their numbers are the same/,
    );
    expect((await read(path, twins, { declared: 'exporter X' })).said).toMatch(
      /of equal ones exporter X keeps the order of declaration/,
    );
  });

  it('is refused where an exporter folded parameters, unless the numbers tell: they stand behind all others in the file', async () => {
    const folded = net.map((tensor, k) =>
      k === 2 ? { ...tensor, name: 'onnx::LSTM_9', anonymous: true } : tensor,
    );
    const path = theta(net, [2, 0, 1]);
    await expect(read(path, folded, { declared: 'exporter X' })).rejects.toThrow(
      /which the exporter folded onnx::LSTM_9[^]*do_constant_folding=False/,
    );
    const known = folded.map((tensor, k) => ({ ...tensor, data: numbers(k, 2, sizeOf(tensor.shape)) }));
    expect((await read(path, known, { declared: 'exporter X' })).said).toMatch(
      /order of θ: onnx::LSTM_9, a\.weight, a\.bias/,
    );
    const equal = known.map((tensor) => ({ ...tensor, shape: [2], data: new Float32Array(2) }));
    const zeros = newPath('npy');
    writeFileSync(zeros, npyFile(Float32Array.of(0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6), [2, 6]));
    await expect(read(zeros, equal, { declared: 'exporter X' })).rejects.toThrow(
      /their numbers are the same/,
    );
  });
});
