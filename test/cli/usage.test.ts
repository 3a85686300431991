import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunConfig } from '../../src/experiment/config/schema.js';
import { makeProgram } from '../../src/cli/program.js';
import { ended, lca, startCli, temporaryFolder } from '../support/cli.js';

const folder = temporaryFolder();
const small = ['--subset', '200', '--iterations', '2', '--batch-size', '50', '--chunk', '100', '--quiet'];

function runFile(name: string, keys: object): string {
  const path = join(folder, `${name}.json`);
  writeFileSync(path, JSON.stringify(keys));
  return path;
}

/** Stored rows of θ, some of which may still be under way. */
function rowsOf(run: string): number {
  const rows = join(run, 'ledger.zarr/theta/c');
  return existsSync(rows) ? readdirSync(rows).length : 0;
}

describe('exit status', () => {
  it('is 2 and shows help where no command is named', async () => {
    const { code, stderr } = await lca([]);
    expect(stderr).toMatch(/Usage: lca/);
    expect(code).toBe(2);
  });

  it.each(['1,,2', ',', '', '1e3', '0x10', '-1', '2147483648'])('is 2 for seeds such as "%s", of which none is made up', async (seeds) => {
    const out = join(folder, 'seeds');
    const { code, stderr } = await lca(['sweep', 'freeze-last-layer', '--dry-run', '--out', out, '--seeds', seeds]);
    expect(stderr).toMatch(/expected different whole numbers/);
    expect(code).toBe(2);
  }); // prettier-ignore

  it('is 1 where the ledger does not balance, unless that is allowed', async () => {
    const out = join(folder, 'left');
    const args = ['run', 'mnist-fc-sgd', ...small, '--rule', 'left', '--tolerance', 'none'];
    const run = await lca([...args, '--out', out]);
    expect(run.stdout).toMatch(/does not balance/i);
    expect(run.stderr).toMatch(/--allow-imbalance/);
    expect(run.code).toBe(1);
    expect((await lca(['report', out, '--quiet'])).code).toBe(1);
    expect((await lca(['report', out, '--quiet', '--allow-imbalance'])).code).toBe(0);
    // What is stored is whole all the same.
    const verified = await lca(['verify', out, '--quiet']);
    expect(verified.code).toBe(0);
    expect(verified.stdout).toMatch(/\nnote the ledger of train does not balance: allocations of -?[\d.]+ where its loss changed by -?[\d.]+ nats; .*\nnote .*\nThe run is sound\.\n$/);
  });

  it.each([['SIGINT', 130], ['SIGTERM', 143]] as const)('after %s is %i, and the run can be resumed', async (signal, status) => {
    const out = join(folder, signal);
    const child = startCli(['run', 'mnist-fc-sgd', ...small, '--iterations', '4000', '--out', out]);
    while (rowsOf(out) < 3) await new Promise((next) => setTimeout(next, 20));
    child.kill(signal);
    const { code, stderr } = await ended(child);
    expect(stderr).toMatch(/lca resume/);
    expect(code).toBe(status);
  });
}); // prettier-ignore

describe('flags', () => {
  const config = async (args: readonly string[], name: string): Promise<RunConfig> => {
    const out = join(folder, name);
    const { code, stderr } = await lca(['train', ...args, ...small, '--out', out]);
    expect(code, stderr).toBe(0);
    return (JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')) as { config: RunConfig }).config;
  };

  it('turn off what a run file turns on', async () => {
    const file = runFile('on', { measure: ['train'], standardise: true, measureWeightDecay: true, classWeights: [1, 1, 1, 1, 1, 1, 1, 1, 1, 2] });
    expect(await config([file], 'kept')).toMatchObject({ measure: ['train'], standardise: true, measureWeightDecay: true });
    const off = ['--measure', 'none', '--standardise', 'false', '--no-measure-weight-decay', '--class-weights', 'none'];
    expect(await config([file, ...off], 'off')).toMatchObject({
      measure: ['train', 'validation'], standardise: false, measureWeightDecay: false, classWeights: null,
    });
    expect(await config(['mnist-fc-sgd', '--standardise'], 'bare')).toMatchObject({ standardise: true });
  });

  it.each([
    ['an empty class weight', ['--class-weights', '1,,2'], /classWeights\[1\]: "" in the command line[^]*a number/],
    ['a switch that is neither', ['--standardise', 'maybe'], /standardise: "maybe" in the command line[^]*true or false/],
    ['an empty folder', ['--out', ''], /--out <folder>[^]*expected a name/],
    ['Adam misspelt', ['--optimizer', 'adma'], /did you mean adam\?/],
    ['what nothing would wait for', ['--process', 'python x.py'], /unknown option '--process'/],
    ['an engine cut short', ['--engine', 'cuda'], /did you mean onnxruntime-cuda\?/],
    ['what PyTorch calls it', ['--lr', '0.1'], /unknown option '--lr'\n\(Did you mean --learning-rate\?\)/],
    ['what Keras calls it', ['--epochs', '3'], /unknown option '--epochs'\n\(Did you mean --iterations\?\)/],
  ])('%s is refused', async (_, args, message) => {
    const out = join(folder, 'refused');
    const { code, stderr } = await lca(['run', 'mnist-fc-sgd', '--out', out, ...args]);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/in mnist-fc-sgd/);
    expect(code).toBe(2);
    expect(existsSync(out)).toBe(false);
  });

  it('name a run file as the place of what stands in it, and what other tools call a key', async () => {
    const file = runFile('wrong', { lr: 0.1 });
    const { code, stderr } = await lca(['run', file, '--out', join(folder, 'refused')]);
    expect(stderr).toMatch(/unknown key "lr" in .*wrong\.json[^]*did you mean learningRate\?/);
    expect(code).toBe(2);
  });

  it('a run file with a program of its own is refused, which only lca measure starts', async () => {
    const file = runFile('process', { process: 'python x.py' });
    const { code, stderr } = await lca(['run', file, '--out', join(folder, 'refused')]);
    expect(stderr).toMatch(/process python x\.py for a run of a network and data[^]*lca measure --process/);
    expect(code).toBe(2);
  });

  it('--out that cannot be made is refused before anything is loaded or timed', async () => {
    const file = runFile('plain', {});
    const { code, stderr } = await lca(['run', 'mnist-fc-sgd', '--data', 'nowhere.npz', '--out', join(file, 'below')]);
    expect(stderr).toMatch(/plain\.json[^]*a part of it is a file/);
    expect(code).toBe(2);
  });
}); // prettier-ignore

describe('places of results', () => {
  it.each([
    ['figures', [], '--out'],
    ['analyze', [], '--out'],
    ['prune', [], '--out'],
    ['compare', ['run'], '--out'],
    ['fork', ['--at', '1', '--learning-rate', '0.1', '--out', join(folder, 'forked')], '--figures'],
    ['sweep', [], '--out'],
  ])('of lca %s are refused before anything is read, where they are a file', async (command, more, flag) => {
    const file = runFile(`taken-${command}`, {});
    const { code, stderr } = await lca([command, 'nothing', ...more, flag, file]);
    expect(stderr).toContain(`${file}, which is a file`);
    expect(code).toBe(2);
  });
});

describe('help', () => {
  it('of no command is wider than a terminal, and says what is usual in words', async () => {
    const program = await makeProgram();
    const commands = program.commands.flatMap((command) => [command, ...command.commands]);
    for (const command of [program, ...commands]) {
      let text = '';
      command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 80 }).outputHelp();
      const wide = text.split('\n').filter((line) => line.length > 80);
      expect(wide, command.name()).toEqual([]);
      expect(text, command.name()).not.toMatch(/default: [[{]/);
    }
  });

  it('states no training defaults where a run or a sweep decides them', async () => {
    for (const name of ['fork', 'sweep']) {
      const { stdout } = await lca([name, '--help']);
      const words = name === 'fork' ? 'as the run has it' : 'as base and file say';
      expect(stdout.replace(/\s+/g, ' ')).toContain(
        `--learning-rate <number> learning rate (default: ${words})`,
      );
    }
  });

  it('groups the flags and lists their choices', async () => {
    const { stdout, code } = await lca(['run', '--help']);
    const headings = ['Options:', 'Model and data:', 'Loss:', 'Training:', 'Measuring:', 'Report:'];
    expect(stdout.match(/^[A-Z][a-z ]+:$/gm)!.filter((line) => line !== 'Arguments:')).toEqual(headings);
    expect(stdout.replace(/\s+/g, ' ')).toMatch(
      /\(choices: "sgd", "nesterov", "adam", "rmsprop", "adamw", "lion", "muon"\)/,
    );
    expect(code).toBe(0);
  });
});
