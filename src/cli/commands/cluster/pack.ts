import { Command } from 'commander';
import { packRun } from '../../../run/pack.js';
import { stopOnInterrupt } from '../../interrupt.js';
import { say } from '../../output.js';
import { progressBar } from '../../progress.js';
import { parsePath } from '../run.js';

interface PackCommandOptions {
  readonly scratch?: string;
  readonly quiet?: boolean;
}

export function packCommand(): Command {
  return new Command('pack')
    .description('copy a run, trained or measured, so that many rows are one file: into a folder or an object store (s3://BUCKET/PATH)')
    .argument('<run>', 'run folder, or its address in an object store')
    .argument('<target>', 'folder or address that does not exist yet', parsePath)
    .option('--scratch <folder>', 'local disk for the copy on its way into an object store (default: the cache folder)', parsePath)
    .option('--quiet', 'no progress')
    .action(async (run: string, target: string, { scratch, quiet }: PackCommandOptions) => {
      const stop = stopOnInterrupt();
      try {
        const progress = progressBar('pack', 'rows', quiet);
        await packRun(run, target, { scratch, progress, signal: stop.signal });
        say(`Packed. Next: lca plan ${target} --tasks N, or lca verify ${target}`);
      } finally {
        stop.release();
      }
    }); // prettier-ignore
}
