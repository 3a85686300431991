import { join } from 'node:path';
import { Command, Option } from 'commander';
import type { SegmentRange } from '../../../experiment/control.js';
import { exportRun, exportable, exportFormats } from '../../../run/export/export.js';
import { writeSingleFile } from '../../../server/single.js';
import { writeSite } from '../../../server/site.js';
import { makeNew } from '../../../store/files.js';
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
    .argument('[run...]', 'run folders; none: the playground alone')
    .option('--out <folder>', 'folder to create', parsePath)
    .option(
      '--single-file',
      'write one HTML file, OUT, that a browser opens from disk: sums only, no single parameters',
    )
    .action(async (runs: readonly string[], { singleFile }: { singleFile?: true }, command: Command) => {
      // The command above has an option of that name, and takes it.
      const { out } = command.optsWithGlobals<{ out?: string }>();
      if (out === undefined) command.error("error: required option '--out <folder>' not specified");
      if (singleFile) {
        await writeSingle(runs, out);
        return;
      }
      for (const reason of await writeSite(dashboardFolder(), runs, out)) say(`No pyramid: ${reason}.`);
      say(`Site written to ${out}. To look at it: any web server, such as: npx http-server ${out}`);
    });
}

/** Says what the file has not, since that is the price of one file. */
async function writeSingle(runs: readonly string[], out: string): Promise<void> {
  const file = /\.html?$/i.test(out) ? out : join(out, 'index.html');
  if (file !== out) makeNew(out);
  const leftOut = await writeSingleFile(dashboardFolder(), runs, file);
  leftOut.forEach((names, k) => {
    say(`Of ${runs[k]!} the file has sums only; left out: ${names.join(', ')}.`);
  });
  say(`Written to ${file}: open it in a browser.`);
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
      'sums and counts over: parameter, neuron, input, tensor, layer, module, kind, head (attention), or a grouping of the run file',
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
      const { shape, unit, sampled, missing } = await exportRun(run, options);
      const target = options.out ? `, written to ${options.out}` : '';
      say(`${options.what} [${shape.join(', ')}], unit ${unit}${target}`);
      if (sampled !== null) say(sampled);
      if (missing !== null) say(`The run is unfinished: ${missing}. lca resume ${run} does the rest.`);
    });
}
