import { Command } from 'commander';
import { presets } from '../../experiment/config/presets.js';
import { columns, printJson, printLine } from '../output.js';

export function presetsCommand(): Command {
  return new Command('presets')
    .description("list the paper's experiments")
    .option('--json', 'print one JSON document')
    .action((options: { json?: boolean }) => {
      if (options.json) printJson(presets);
      else printLine(columns(presets.map(({ name, description }) => [name, description])));
    });
}
