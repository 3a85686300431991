import { Command, Option } from 'commander';
import { benchGradient, benchModels, type BenchResult } from '../../run/bench/gradient.js';
import { type Arithmetic, arithmetics } from '../../engines/registry.js';
import { compareGradient } from '../../run/bench/compare.js';
import { printLine } from '../output.js';
import { parseCount } from './run.js';

interface Options {
  readonly model: string;
  readonly engine: string;
  readonly arithmetic: Arithmetic;
  readonly threads?: number;
  readonly seconds: number;
  readonly compare?: string;
  readonly rounds: number;
  readonly json?: boolean;
}

export function benchCommand(): Command {
  return new Command('bench').description('measure speed on this machine').addCommand(gradientCommand());
}

function gradientCommand(): Command {
  return new Command('gradient')
    .description('examples a second of the full gradient, through the same path that measuring uses')
    .option('--model <name>', `one of ${benchModels.join(', ')}`, 'fc')
    .option('--engine <name>', 'engine (lca engines)', 'auto')
    .addOption(
      new Option('--arithmetic <name>', 'how a dense layer multiplies bytes')
        .choices(arithmetics)
        .default('auto'),
    )
    .option('--threads <count>', 'worker threads (default: one per core)', parseCount)
    .option('--seconds <count>', 'how long to measure', parseCount, 8)
    .option('--compare <command>', 'measure in turn with another command that prints the same JSON')
    .option('--rounds <count>', 'rounds of --compare', parseCount, 3)
    .option('--json', 'print one JSON line')
    .action(async (options: Options) => {
      if (options.compare === undefined) print(await benchGradient(options), options.json);
      else await compare(options, options.compare);
    });
}

async function compare(options: Options, command: string): Promise<void> {
  const result = await compareGradient(options, command, options.rounds);
  print(result, options.json);
  if (options.json) return;
  for (const { ours, theirs, ratio } of result.rounds) {
    printLine(`  ${Math.round(ours)} against ${Math.round(theirs)}: ${ratio.toFixed(2)} times`);
  }
  printLine(`${result.ratio.toFixed(2)} times as fast (median of ${result.rounds.length} rounds)`);
}

function print(result: BenchResult, json = false): void {
  if (json) {
    printLine(JSON.stringify(result));
    return;
  }
  const { median, best } = result.examplesPerSecond;
  printLine(
    `${result.model} on ${result.engine}, ${result.threads} threads, ${result.parameters} parameters`,
  );
  printLine(`${Math.round(median)} examples/s (median), ${Math.round(best)} (best)`);
}
