import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTrajectory } from '../../../test/support/recording.js';
import { encodeSafetensors } from '../../../test/support/safetensors.js';
import { listCheckpoints } from './checkpoints.js';
import { openRecording } from '../open.js';
import { passedTensors } from '../passed.js';
import type { RecordingOptions } from '../types.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lossledger-'));
});
afterAll(() => rm(folder, { recursive: true }));

type Tensors = Parameters<typeof encodeSafetensors>[0];
const numbers = (...data: number[]) => ({ shape: [data.length], data: Float32Array.from(data) });
const one = (value: number) => ({ shape: [], data: Float32Array.of(value) });

/** A folder with these safetensors files. */
async function folderOf(name: string, files: Readonly<Record<string, Tensors>>): Promise<string> {
  for (const [file, tensors] of Object.entries(files)) {
    const path = join(folder, name, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, encodeSafetensors(tensors));
  }
  return join(folder, name);
}

/** θ of every checkpoint, of a model of one tensor `w` [2]. */
async function rowsOf(path: string, options: RecordingOptions = {}): Promise<number[][]> {
  const trajectory = await openTrajectory(path, [{ name: 'w', shape: [2] }], options);
  const rows = [];
  for (let t = 0; t < trajectory.rows; t++) rows.push([...(await trajectory.row(t))]);
  await trajectory.close();
  return rows;
}

describe('checkpoints of a folder', () => {
  it('may hold histories that grow, where these are passed over, and are refused with what to do where not', async () => {
    const path = await folderOf('histories', {
      'step=0.safetensors': { w: numbers(0, 1), losses: numbers(9), best: numbers(5, 5) },
      'step=1.safetensors': { w: numbers(2, 3), losses: numbers(9, 8), best: numbers(5, 4) },
      'step=2.safetensors': { w: numbers(4, 5), losses: numbers(9, 8, 7), best: numbers(5, 2) },
    });
    await expect(rowsOf(path)).rejects.toThrow(
      /other shapes than in the first checkpoint: losses \[3\], before \[1\][^]*histories of losses[^]*--ignore 'losses'/,
    );
    const options = { ignore: ['losses', 'best'] };
    expect(await rowsOf(path, options)).toEqual([[0, 1], [2, 3], [4, 5]]); // prettier-ignore
    expect(await passedTensors(path, options)).toEqual([
      { name: 'losses', numbers: 1, motion: 0 },
      { name: 'best', numbers: 2, motion: 5 },
    ]);
  });

  it('may differ in single numbers that no model has, such as scores of the best ones until then', async () => {
    const path = await folderOf('scores', {
      'epoch=0-step=1.safetensors': { w: numbers(0, 1), 'callbacks.best./a.ckpt': one(0.5) },
      'epoch=1-step=2.safetensors': { w: numbers(2, 3), 'callbacks.best./b.ckpt': one(0.25) },
    });
    expect(await rowsOf(path)).toEqual([[0, 1], [2, 3]]); // prettier-ignore
    const model = [{ name: 'w', shape: [2] }, { name: 'scale', shape: [] }]; // prettier-ignore
    const lost = await folderOf('lost', {
      'step=1.safetensors': { w: numbers(0, 1), scale: one(1) },
      'step=2.safetensors': { w: numbers(2, 3) },
    });
    const read = openTrajectory(lost, model).then(async (trajectory) => {
      await trajectory.row(1).finally(() => trajectory.close());
    });
    await expect(read).rejects.toThrow(/no tensor scale \[\]/);
  });

  it('may stand beside the model that training ended with', async () => {
    const path = await folderOf('trainer', {
      'checkpoint-500/model.safetensors': { w: numbers(0, 1) },
      'checkpoint-1000/model.safetensors': { w: numbers(2, 3) },
      'model.safetensors': { w: numbers(2, 3) },
    });
    await writeFile(join(path, 'training_args.bin'), '');
    expect((await listCheckpoints(path, {})).reading.evidence).toMatch(
      /; model\.safetensors beside the models not read$/,
    );
    await writeFile(join(path, 'checkpoint-1000', 'pytorch_model.bin'), '');
    expect((await listCheckpoints(path, {})).reading.evidence).toMatch(
      /; model\.safetensors, pytorch_model\.bin beside the models not read$/,
    );
    expect(await rowsOf(path)).toEqual([[0, 1], [2, 3]]); // prettier-ignore
  });

  it('are refused where their own counts contradict their names, unless the order is given', async () => {
    // Three names that are used in turn, read after step 4.
    const rotating = await folderOf('rotating', {
      'ckpt_0.safetensors': { w: numbers(3, 3), step: one(3) },
      'ckpt_1.safetensors': { w: numbers(4, 4), step: one(4) },
      'ckpt_2.safetensors': { w: numbers(2, 2), step: one(2) },
    });
    await expect(rowsOf(rotating)).rejects.toThrow(
      /step goes from 4 in ckpt_1\.safetensors back to 2 in ckpt_2\.safetensors[^]*--checkpoint-pattern/,
    );
    const checkpointPattern = 'ckpt_(\\d+)';
    expect(await rowsOf(rotating, { checkpointPattern })).toEqual([[3, 3], [4, 4], [2, 2]]); // prettier-ignore
    const { recording, readings } = await openRecording(rotating, { checkpointPattern });
    await recording.close();
    expect(readings.at(-1)).toMatchObject({ about: 'order of the checkpoints', warning: true });
  });

  it('may be saved by a wrapped model from some step on, and are read by the names of the first', async () => {
    const path = await folderOf('compiled', {
      'step=0.safetensors': { w: numbers(0, 1) },
      'step=1.safetensors': { '_orig_mod.w': numbers(2, 3) },
      'step=2.safetensors': { 'module._orig_mod.w': numbers(4, 5) },
    });
    expect(await rowsOf(path)).toEqual([[0, 1], [2, 3], [4, 5]]); // prettier-ignore
    const two = await folderOf('averaged', {
      'step=0.safetensors': { w: numbers(0, 1) },
      'step=1.safetensors': { '_orig_mod.w': numbers(2, 3), 'module.w': numbers(1, 2) },
    });
    await expect(rowsOf(two)).rejects.toThrow(/no tensor w \[2\]; tensors _orig_mod\.w/);
  });

  it('may be called .pth.tar, as PyTorch’s examples do', async () => {
    const path = join(folder, 'tar');
    await mkdir(path);
    for (const name of ['checkpoint_0000.pth.tar', 'checkpoint_0001.pth.tar'])
      await writeFile(join(path, name), '');
    const { checkpoints } = await listCheckpoints(path, {});
    expect(checkpoints.map(({ iteration }) => iteration)).toEqual([0, 1]);
  });

  it('may count steps of each epoch, and what is no count', async () => {
    const path = await folderOf('epochs', {
      'ckpt_0.safetensors': { w: numbers(0, 1), epoch: one(0), step: one(9), 'bn.num_batches_tracked': one(9) },
      'ckpt_1.safetensors': { w: numbers(2, 3), epoch: one(1), step: one(2), 'bn.num_batches_tracked': one(12) },
      'ckpt_2.safetensors': { w: numbers(4, 5), epoch: one(1), step: one(8), 'bn.num_batches_tracked': one(18) },
    }); // prettier-ignore
    expect(await rowsOf(path)).toEqual([[0, 1], [2, 3], [4, 5]]); // prettier-ignore
    const learned = await folderOf('learned', {
      'ckpt_0.safetensors': { w: numbers(0, 1), step: one(1) },
      'ckpt_1.safetensors': { w: numbers(2, 3), step: one(0.5) },
    });
    expect(await rowsOf(learned, { ignore: ['step'] })).toEqual([[0, 1], [2, 3]]); // prettier-ignore
  });
});
