import { Command } from 'commander';
import { autoEngineNames, engineStatuses } from '../../engines/registry.js';
import { columns, printJson, printLine } from '../output.js';

export function enginesCommand(): Command {
  return new Command('engines')
    .description('say which engines are available here, and why others are not')
    .option('--json', 'print one JSON document')
    .action(async (options: { json?: boolean }) => {
      const statuses = await engineStatuses();
      const rows = statuses.map(({ name, availability }) => ({
        engine: name,
        available: availability.ok,
        detail: availability.ok ? availability.detail : availability.reason,
      }));
      if (options.json) {
        printJson(rows);
        return;
      }
      printLine(
        columns(rows.map((row) => [row.engine, row.available ? 'available' : 'not here', row.detail])),
      );
      printLine(
        `\n--engine auto takes the first of ${autoEngineNames.join(', ')} that is available and knows all operators of the network.`,
      );
      printLine(
        '--arithmetic split takes native-split, which multiplies bytes in dense layers on a matrix unit, in place of native; auto whichever of the two is faster here.',
      );
    });
}
