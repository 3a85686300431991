import { Command } from 'commander';
import { verifyFolder } from '../../run/verify.js';
import { printJson, printLine } from '../output.js';
import { progressBar } from '../progress.js';
import type { SegmentRange } from '../../experiment/control.js';
import { parseCount, parseList, parseSegments } from './run.js';

export function verifyCommand(): Command {
  return new Command('verify')
    .description('check a run: checksums, sums, residuals, and with --sample segments computed anew')
    .argument('<run>', 'run folder')
    .option(
      '--sample <count>',
      'recompute this many segments with the float64 reference engine, or the run’s objective process',
      parseCount,
    )
    .option('--segments <range>', 'recompute segments of this range alone, such as 100:200', parseSegments)
    .option('--data <place>', 'where the data of the run are now, if they were moved')
    .option('--trajectory <place>', 'where the recording is now that tells the components of updates')
    .option('--measure <places>', 'where objectives with files of their own are now: NAME=PLACE,…', parseList)
    .option('--workers <count>', 'threads that compute (default: one per core)', parseCount)
    .option(
      '--processes <count>',
      'with an objective process: so many of it share the work (default: 1)',
      parseCount,
    )
    .option('--json', 'print one JSON document')
    .option('--quiet', 'no progress')
    .action(async (run: string, options: VerifyOptions) => {
      const result = await verifyFolder(run, {
        sample: options.sample ?? (options.segments ? options.segments.to - options.segments.from : 0),
        segments: options.segments,
        workers: options.workers,
        processes: options.processes,
        places: { data: options.data, trajectory: options.trajectory, measure: options.measure },
        checking: progressBar('check', 'rows and segments', options.quiet),
        recomputing: progressBar('recompute', 'segments', options.quiet),
      });
      if (options.json) printJson(result);
      else {
        for (const { what, where } of result.findings) printLine(`BAD  ${where}: ${what}`);
        for (const line of result.facts) printLine(`ok   ${line}`);
        for (const line of result.unbalanced) printLine(`note ${line}`);
        const { length } = result.findings;
        printLine(length === 0 ? 'The run is sound.' : length === 1 ? '1 finding.' : `${length} findings.`);
      }
      if (result.findings.length > 0) process.exitCode = 1;
    });
}

interface VerifyOptions {
  readonly data?: string;
  readonly trajectory?: string;
  readonly measure?: string[];
  readonly sample?: number;
  readonly segments?: SegmentRange;
  readonly workers?: number;
  readonly processes?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
}
