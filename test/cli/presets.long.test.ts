import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { datasetStatuses } from '../../src/run/datasets.js';
import { presets } from '../../src/experiment/config/presets.js';
import type { RunAnalysis } from '../../src/analysis/run.js';
import { lcaProcess, temporaryFolder } from '../support/cli.js';

const here = new Set((await datasetStatuses()).filter((status) => status.here).map(({ name }) => name));
// One of each network; test/replay (npm run test:long) trains and measures every preset.
const firsts = [...new Map([...presets].reverse().map((preset) => [preset.config.model, preset])).values()];
const runnable = firsts.filter(({ config }) => here.has(config.data!));
const absent = firsts.filter((preset) => !runnable.includes(preset));
if (absent.length > 0) {
  console.log(`skipped, since their data are not here: ${absent.map(({ name }) => name).join(', ')}`);
}

const folder = temporaryFolder();

describe('presets from the command line', () => {
  it.each(runnable.map(({ name }) => name))('%s: an iteration on 60 examples', async (name) => {
    const out = join(folder, name);
    // The sizes of test/replay, so that each network is compiled once for both.
    const small = ['--subset', '60', '--iterations', '1', '--keep', 'neurons', '--batch-size', '20', '--measure', 'train', '--tolerance', 'none', '--allow-imbalance'];
    const { code, stderr, stdout } = await lcaProcess(['run', name, ...small, '--chunk', '20', '--quiet', '--json', '--out', out]);
    expect(code, stderr).toBe(0);
    const analysis = JSON.parse(stdout) as RunAnalysis;
    expect(analysis.subintervals).toEqual([2]);
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain(name);
  });

  it('are all listed by `lca presets`', async () => {
    const { stdout } = await lcaProcess(['presets']);
    const lines = stdout.trimEnd().split('\n').slice(1);
    expect(lines.map((line) => line.split(/\s/)[0])).toEqual(presets.map(({ name }) => name));
    expect(lines[0]).toMatch(/^mnist-fc-sgd +84,060 +880 /);
  });

  it('refuse a network and data that do not fit, naming both shapes', async () => {
    const { code, stderr } = await lcaProcess(['run', 'mnist-fc-sgd', '--model', 'resnet20', '--out', join(folder, 'misfit')]);
    expect(stderr).toMatch(/\[1, 28, 28\][^]*\[3, 32, 32\]/);
    expect(code).toBe(2);
  });
}); // prettier-ignore
