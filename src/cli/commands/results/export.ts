import { Command, Option } from 'commander';
import type { SegmentRange } from '../../../experiment/control.js';
import { exportRun, exportable, exportFormats } from '../../../run/export/export.js';
import { writeSite } from '../../../server/site.js';
import { say } from '../../output.js';
import { parsePath, parseSegments } from '../run.js';
import { dashboardFolder } from './view.js';

interface ExportOptions {
  readonly what?: string;
  readonly objective?: string;
  readonly part?: string;
  readonly component?: string;
  readonly entity?: string;
  readonly segments?: SegmentRange;
  readonly format: (typeof exportFormats)[number];
  readonly out?: string;
}

/** `lca export site RUN…`: the dashboard with runs, as files. */
function siteCommand(): Command {
  return new Command('site')
    .description('write the dashboard and runs as files that any web server can host')
    .argument('<run...>', 'run folders')
    .option('--out <folder>', 'folder to create', parsePath)
    .action(async (runs: readonly string[], _: unknown, command: Command) => {
      // The command above has an option of that name, and takes it.
      const { out } = command.optsWithGlobals<{ out?: string }>();
      if (out === undefined) command.error("error: required option '--out <folder>' not specified");
      for (const reason of await writeSite(dashboardFolder(), runs, out)) say(`No pyramid: ${reason}.`);
      say(`Site written to ${out}. To look at it: any web server, such as: npx http-server ${out}`);
    });
}

export function exportCommand(): Command {
  return new Command('export')
    .description('write one quantity of a run as npy, csv, json or parquet')
    .argument('<run>', 'run folder')
    .addOption(new Option('--what <quantity>', 'what to write').choices(exportable))
    .option('--objective <name>', 'whose column (default: the first that was measured)')
    .option('--part <name>', 'of one part of the objective: its name, else its index')
    .option(
      '--component <name>',
      'of one component of the update: gradient, clipping, momentum, momentum/2-3, weightDecay, rounding, or a recorded one',
    )
    .option(
      '--entity <name>',
      'sums and counts over: parameter, neuron, input, tensor, layer, module, kind, or a grouping of the run file',
    )
    .option(
      '--segments <range>',
      'of these segments alone, such as 100:200 (200 not among them)',
      parseSegments,
    )
    .addOption(new Option('--format <name>', 'file format').choices(exportFormats).default('csv'))
    .option('--out <file>', 'file to write (default: standard output)', parsePath)
    .addCommand(siteCommand())
    .action(async (run: string, { what, ...others }: ExportOptions, command: Command) => {
      if (what === undefined) command.error("error: required option '--what <quantity>' not specified");
      const options = { what, ...others };
      const { shape, unit, finishedRows, sampled } = await exportRun(run, options);
      const target = options.out ? `, written to ${options.out}` : '';
      say(`${options.what} [${shape.join(', ')}], unit ${unit}${target}`);
      if (sampled !== null) say(sampled);
      if (options.segments === undefined && shape[0]! < finishedRows) {
        say(
          `The run is unfinished: ${shape[0]!} of ${finishedRows} rows are there. lca resume ${run} does the rest.`,
        );
      }
    });
}
