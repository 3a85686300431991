import { Argument, Command } from 'commander';
import { datasetNames } from '../../run/datasets.js';
import { presets } from '../../experiment/config/presets.js';
import { completionScript, shells, type Shell } from '../completion.js';

/** Names that may stand as an argument, by the argument's name; for others the shell offers files. */
const argumentNames: Readonly<Record<string, readonly string[]>> = {
  'preset-or-file': presets.map(({ name }) => name),
  name: datasetNames,
};

export function completionCommand(): Command {
  return new Command('completion')
    .description('print a script that completes commands, flags and choices, for your shell to read')
    .addArgument(new Argument('<shell>', 'which shell').choices(shells))
    .addHelpText(
      'after',
      `
Put it into effect:
  bash   eval "$(lca completion bash)"            in ~/.bashrc
  zsh    eval "$(lca completion zsh)"             in ~/.zshrc, after compinit
  fish   lca completion fish | source             in ~/.config/fish/config.fish`,
    )
    .action((shell: Shell, _: unknown, command: Command) => {
      process.stdout.write(completionScript(command.parent!, shell, argumentNames));
    });
}
