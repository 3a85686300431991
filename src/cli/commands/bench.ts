import { Command } from 'commander';
import { benchGradient, benchModels } from '../../run/bench.js';
import { printLine } from '../output.js';
import { parseCount } from './run.js';

interface BenchOptions {
  readonly model: string;
  readonly engine: string;
  readonly threads?: number;
  readonly seconds: number;
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
    .option('--threads <count>', 'worker threads (default: one per core)', parseCount)
    .option('--seconds <count>', 'how long to measure', parseCount, 8)
    .option('--json', 'print one JSON document')
    .action(async (options: BenchOptions) => {
      const result = await benchGradient(options);
      if (options.json) {
        process.stdout.write(`${JSON.stringify(result)}\n`);
        return;
      }
      const { median, best } = result.examplesPerSecond;
      printLine(
        `${result.model} on ${result.engine}, ${result.threads} threads, ${result.parameters} parameters`,
      );
      printLine(`${Math.round(median)} examples/s (median), ${Math.round(best)} (best)`);
    });
}
