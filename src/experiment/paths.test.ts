import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkConfig } from './config/file.js';
import { portablePaths, withWholePaths } from './paths.js';

const stored = (input: object, folder: string) => {
  const config = checkConfig(input, 'the test');
  return portablePaths(config, withWholePaths(config), folder);
};

describe('paths of a run', () => {
  it('are kept as they were stated: relative to the run, or whole', () => {
    const input = { model: 'nets/m.onnx', data: 'x.npy,/far/y.npy', trajectory: '/far/t.npz', init: 'a.safetensors' };
    expect(stored(input, 'runs/one')).toEqual({
      model: '../../nets/m.onnx',
      data: '../../x.npy,/far/y.npy',
      trajectory: '/far/t.npz',
      init: '../../a.safetensors',
      measure: null,
      parts: null,
      basis: null,
    });
    const more = stored({ measure: ['train', 'mine=m.npz'], parts: ['class', 'mine:g.csv', '/far/g.npy'] }, 'runs/one');
    expect(more.measure).toEqual(['train', 'mine=../../m.npz']);
    expect(more.parts).toEqual(['class', 'mine:../../g.csv', '/far/g.npy']);
    expect(stored({ data: 'run/d.npz' }, 'run').data).toBe('./d.npz');
    expect(stored({ model: 'fc', data: 'mnist' }, 'run')).toEqual({ model: 'fc', data: 'mnist', trajectory: null, init: null, measure: null, parts: null, basis: null });
    expect(['b.npy', '/far/b.npy', 'pca:3'].map((basis) => stored({ basis }, 'run').basis)).toEqual(['../b.npy', '/far/b.npy', 'pca:3']);
  }); // prettier-ignore

  it.each(['runs/one', '/elsewhere/run', '.'])('are found again from the run folder %s', (folder) => {
    const input = { model: './m.onnx', data: 'd.npz', trajectory: 'checkpoints/', init: '/far/i' };
    const config = checkConfig(input, 'the test');
    const whole = withWholePaths(config);
    const kept = { ...config, ...portablePaths(config, whole, folder) };
    expect(withWholePaths(kept, resolve(folder))).toEqual(whole);
  });

  it('are told from names by the files that are there', () => {
    const name = 'src/experiment/paths.test.ts';
    expect(withWholePaths(checkConfig({ data: name }, 'the test')).data).toBe(resolve(name));
    expect(stored({ data: name }, 'src/run').data).toBe('../experiment/paths.test.ts');
  });
});
