import { Command } from 'commander';
import { datasetStatuses } from '../../run/datasets.js';
import { columns, printJson, printLine } from '../output.js';

export function dataCommand(): Command {
  return new Command('data').description('data sets').addCommand(listCommand());
}

function listCommand(): Command {
  return new Command('list')
    .description('list the data sets and whether they are here')
    .option('--json', 'print one JSON document')
    .action(async (options: { json?: boolean }) => {
      const statuses = await datasetStatuses();
      if (options.json) printJson(statuses);
      else
        printLine(
          columns(
            statuses.map(({ name, here, description }) => [name, here ? 'here' : 'missing', description]),
          ),
        );
    });
}
