import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/cli.js';
import { completionScript } from './completion.js';
import { makeProgram } from './program.js';

const names = { 'preset-or-file': ['mnist-fc-sgd', 'mnist-lenet-sgd'] };
const lines = [
  ['lca re', ['report', 'resume']],
  ['lca run mnist-f', ['mnist-fc-sgd']],
  ['lca run --optimizer a', ['adam', 'adamw']],
  ['lca run mnist-fc-sgd --opt', ['--optimizer']],
  ['lca data a', ['add']],
] as const;

function has(shell: string): boolean {
  return spawnSync(shell, ['--version']).status === 0;
}

function sorted(output: string): string[] {
  return output.split('\n').filter((line) => line !== '').sort();
} // prettier-ignore

it.skipIf(!has('bash')).each(lines)('bash completes %s', async (line, expected) => {
  const script = join(temporaryFolder(), 'lca.bash');
  writeFileSync(script, completionScript(await makeProgram(), 'bash', names));
  const complete = `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _lca; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', complete, script, ...line.split(' ')], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(sorted(stdout)).toEqual(expected);
}); // prettier-ignore

it.skipIf(!has('fish')).each(lines)('fish completes %s', async (line, expected) => {
  const script = join(temporaryFolder(), 'lca.fish');
  writeFileSync(script, completionScript(await makeProgram(), 'fish', names));
  const { stdout } = spawnSync('fish', ['-c', `source ${script}; complete -C '${line}' | string replace -r '\\t.*' ''`], { encoding: 'utf8', cwd: temporaryFolder() });
  expect(sorted(stdout)).toEqual(expected);
}); // prettier-ignore

it.skipIf(!has('zsh'))('zsh reads its script', async () => {
  const script = join(temporaryFolder(), 'lca.zsh');
  writeFileSync(script, completionScript(await makeProgram(), 'zsh', names));
  const { status, stderr } = spawnSync('zsh', ['-f', '-c', `autoload -U compinit; compinit -u -D; source ${script}`], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
}); // prettier-ignore
