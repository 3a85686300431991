import { Command } from 'commander';
import { usualName } from '../experiment/config/issue.js';
import { version } from '../experiment/version.js';
import { kebab } from './config-flags.js';

const examples = `
Examples:
  lca demo                               train, measure and report on MNIST
  lca run mnist-fc-sgd --out my-run      one of the paper's experiments, whole
  lca run my-run.yaml --out my-run --rule adaptive
  lca analyze my-run --only noise,tails  the paper's analyses, as tables
  lca view my-run                        look at it in the browser
  lca resume my-run                      go on after an interruption
  lca export my-run --what allocation --objective train --format npy --out a.npy

Exit status: 0 done, 1 failed or the ledger does not balance, 2 wrong use or
bad input, 130 stopped by Ctrl-C.`;

/**
 * The command line, all commands attached; for the words of `lca work` that one alone, which thousands of machines may start: loading all others takes
 * longer than it does.
 */
export async function makeProgram([wanted]: readonly string[] = []): Promise<Command> {
  const program = new Command('lca')
    .description(
      'A microscope for neural-network training: credits every change of the loss to the parameters that caused it.',
    )
    .version(version)
    .showHelpAfterError('(add --help for what is possible)')
    .addHelpText('after', examples)
    .exitOverride();
  const commands =
    wanted === 'work'
      ? [(await import('./commands/cluster/work.js')).workCommand()]
      : (await import('./commands/index.js')).allCommands();
  for (const command of commands) program.addCommand(inherit(command));
  return program;
}

/** Subcommands added ready-made do not inherit settings; errors must end with exit status 2 in all of them. */
function inherit(command: Command): Command {
  command.exitOverride().showHelpAfterError('(add --help for what is possible)');
  command.configureOutput({
    outputError: (text, write) => {
      write(withUsualName(text, command));
    },
  });
  for (const child of command.commands) inherit(child);
  return command;
}

/** A message about an unknown option, with what that is called here where other tools call it so. */
function withUsualName(message: string, command: Command): string {
  const word = /unknown option '--([^'=]+)/.exec(message)?.[1];
  const name = word === undefined ? null : usualName(word);
  if (name === null || !command.options.some(({ long }) => long === `--${kebab(name)}`)) return message;
  return `${message.split('\n')[0]!}\n(Did you mean --${kebab(name)}?)\n`;
}
