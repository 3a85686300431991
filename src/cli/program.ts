import { Command } from 'commander';
import { usualName } from '../experiment/config/issue.js';
import { version } from '../experiment/version.js';
import { mergeCommand } from './commands/cluster/merge.js';
import { packCommand } from './commands/cluster/pack.js';
import { planCommand } from './commands/cluster/plan.js';
import { submitCommand } from './commands/cluster/submit.js';
import { workCommand } from './commands/cluster/work.js';
import { analyzeCommand } from './commands/results/analyze.js';
import { animateCommand } from './commands/results/animate.js';
import { benchCommand } from './commands/bench.js';
import { completionCommand } from './commands/completion.js';
import { dataCommand } from './commands/data.js';
import { demoCommand } from './commands/demo.js';
import { enginesCommand } from './commands/engines.js';
import { compareCommand } from './commands/experiments/compare.js';
import { forkCommand } from './commands/experiments/fork.js';
import { pruneCommand } from './commands/experiments/prune.js';
import { sweepCommand } from './commands/experiments/sweep.js';
import { exportCommand } from './commands/results/export.js';
import { figuresCommand } from './commands/results/figures.js';
import { inspectCommand } from './commands/inspect.js';
import { measureCommand } from './commands/measure.js';
import { presetsCommand } from './commands/presets.js';
import { reportCommand } from './commands/results/report.js';
import { resumeCommand } from './commands/resume.js';
import { runCommand, trainCommand } from './commands/run.js';
import { verifyCommand } from './commands/verify.js';
import { viewCommand } from './commands/results/view.js';
import { kebab } from './config-flags.js';

const examples = `
Examples:
  lca demo                               train, measure and report on MNIST in about two minutes
  lca run mnist-fc-sgd --out my-run      one of the paper's experiments, whole
  lca run my-run.yaml --out my-run --rule adaptive
  lca analyze my-run --only noise,tails  the paper's analyses, as tables
  lca view my-run                        look at it in the browser
  lca resume my-run                      go on after an interruption
  lca export my-run --what allocation --objective train --format npy --out a.npy

Exit status: 0 done, 1 failed or the ledger does not balance, 2 wrong use or bad input, 130 stopped by Ctrl-C.`;

/** The command line, all commands attached. */
export function makeProgram(): Command {
  const program = new Command('lca')
    .description(
      'A microscope for neural-network training: credits every change of the loss to the parameters that caused it.',
    )
    .version(version)
    .showHelpAfterError('(add --help for what is possible)')
    .addHelpText('after', examples)
    .exitOverride();
  const commands = [
    demoCommand(), runCommand(), trainCommand(), measureCommand(), resumeCommand(), verifyCommand(), reportCommand(),
    analyzeCommand(), figuresCommand(), animateCommand(), viewCommand(),
    planCommand(), workCommand(), mergeCommand(), submitCommand(), packCommand(),
    compareCommand(), forkCommand(), sweepCommand(), pruneCommand(),
    exportCommand(), inspectCommand(), dataCommand(), presetsCommand(), enginesCommand(), benchCommand(), completionCommand(),
  ]; // prettier-ignore
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
