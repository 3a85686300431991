import { describe, expect, it } from 'vitest';
import { DataError } from '../../errors.js';
import { numberNames } from './order.js';

const iterations = (...names: string[]) => numberNames(names, 'folder').iteration;

describe('numberNames', () => {
  it.each([
    [
      ['step-00250', 'step-00500'],
      [250, 500],
    ],
    [
      ['model-v2-step-9', 'model-v2-step-100'],
      [9, 100],
    ],
    [
      ['checkpoint-500', 'checkpoint-1000'],
      [500, 1000],
    ],
    [
      ['0', '1', '2'],
      [0, 1, 2],
    ],
    [
      ['epoch=0-val_loss=0.84', 'epoch=1-val_loss=0.61', 'epoch=2-val_loss=0.52'],
      [0, 1, 2],
    ],
    [
      ['epoch=0-step=100', 'epoch=1-step=200'],
      [100, 200],
    ],
    [
      ['epoch=00-step=100-val_acc=91', 'epoch=01-step=200-val_acc=90'],
      [100, 200],
    ],
    [
      ['epoch3_seed42', 'epoch10_seed42'],
      [3, 10],
    ],
    [
      ['run7_lr0.1_step5', 'run7_lr0.01_step10'],
      [5, 10],
    ],
    [
      ['ckpt_fp16_100', 'ckpt_fp16_200'],
      [100, 200],
    ],
    [
      ['run-2024-01-02_iter_10', 'run-2024-01-03_iter_20'],
      [10, 20],
    ],
    [
      ['model_state_1', 'model_state_12'],
      [1, 12],
    ],
    [
      ['step_500', 'step_1k', 'step_1.5K', 'step_1M'],
      [500, 1000, 1500, 1000000],
    ],
    [
      ['stage1_step100', 'stage1_step200', 'stage2_step300'],
      [100, 200, 300],
    ],
    [
      ['step=1,000', 'step=2,000', 'step=12,500'],
      [1000, 2000, 12500],
    ],
    [
      ['step=0', 'step=500', 'step=1,000', 'step=1,000,000'],
      [0, 500, 1000, 1000000],
    ],
    [
      ['step=1,000-val_loss=0,123', 'step=2,000-val_loss=0,101'],
      [1000, 2000],
    ],
    [
      ['ckpt-500', 'ckpt-1,000'],
      [500, 1000],
    ],
    [
      ['step_500', 'step_1_000', 'step_1_500'],
      [500, 1000, 1500],
    ],
    [
      ['iter 500-d', 'iter 1 000-d', 'iter 10 000-d'],
      [500, 1000, 10000],
    ],
    [
      ['step_100_512', 'step_200_512'],
      [100, 200],
    ],
    [
      ['step_1000_001', 'step_2000_002'],
      [1000, 2000],
    ],
    [
      ['net(3,224,224)_step_10', 'net(3,224,224)_step_20'],
      [10, 20],
    ],
    [
      ['step=100_tokens=1,000', 'step=200_tokens=2,000'],
      [100, 200],
    ],
  ])('finds the iteration in %j', (names, expected) => {
    expect(iterations(...names)).toEqual(expected);
  });

  it.each([
    ['metrics alone', ['val_loss=0.84', 'val_loss=0.61']],
    ['accuracies that are whole numbers', ['model-acc-91', 'model-acc-88']],
    ['seeds', ['model-seed1', 'model-seed2']],
    ['dates', ['model-2024-01-02', 'model-2024-01-03']],
    ['dates in one word', ['model_20240102', 'model_20240103']],
    ['versions', ['model-v1', 'model-v2']],
    ['precisions', ['model-fp16', 'model-fp32']],
    ['two numbers without words', ['weights.01-43', 'weights.02-39']],
    ['steps that start again', ['epoch=0-step=50', 'epoch=1-step=10', 'epoch=2-step=20']],
    ['steps that start again in an epoch seen twice', ['epoch1_step10', 'epoch1_step20', 'epoch2_step5']],
    ['steps that start again in every stage', ['stage1_step3', 'stage1_step5', 'stage2_step1']],
    ['numbers that count different things', ['tokens_500', 'tokens_1B']],
    ['names of several kinds', ['step-1', 'step-2', 'best']],
    ['no number', ['best', 'last']],
    ['several seeds', ['seed1_step10', 'seed2_step20']],
    ['several folds', ['fold1-epoch1', 'fold2-epoch2']],
    ['steps below 0', ['step=-1', 'step=0']],
    ['steps below 0 behind other signs', ['step_-1', 'step_9', 'step_19']],
    ['thousands or parts of a checkpoint', ['step_1_000', 'step_2_000']],
    ['thousands or parts that differ', ['step_1_000', 'step_1_500', 'step_2_000']],
    ['parts beside their checkpoints', ['step_5', 'step_5_001', 'step_5_002']],
    ['commas behind a word that counts nothing known', ['ckpt-1,000', 'ckpt-2,000']],
    ['thousands written in two ways', ['step=1,000', 'step=1000', 'step=2,000']],
    ['fractions with commas', ['step=0,500', 'step=1,000']],
    ['the same number twice', ['step-1', 'step-01']],
  ])('refuses %s', (_, names) => {
    expect(() => iterations(...names)).toThrow(DataError);
    expect(() => iterations(...names)).toThrow(/--checkpoint-pattern/);
  });

  it('says what is open of numbers in parts, and that thousands were found', () => {
    expect(() => iterations('step_1_000', 'step_2_000')).toThrow(
      /after step such as 1_000, which may be one number or several/,
    );
    expect(numberNames(['step=500', 'step=1,000'], 'folder').reading.evidence).toBe(
      'step counts training; thousands are set apart by commas',
    );
  });

  it('follows the pattern that is given', () => {
    const names = ['weights.01-43', 'weights.02-39'];
    expect(numberNames(names, 'folder', /\.(\d+)-/).iteration).toEqual([1, 2]);
    expect(numberNames(['a-1,000', 'a-12,500'], 'folder', /a-([\d,]+)/).iteration).toEqual([1000, 12500]);
    expect(() => numberNames(names, 'folder', /x(\d+)/)).toThrow(/no whole number in weights\.01-43/);
  });
});
