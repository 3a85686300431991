import { Command } from 'commander';
import { UsageError } from '../../../errors.js';
import { arrayExpression } from '../../../format/parts/plan.js';
import { kubernetesManifest } from '../../../run/cluster/kubernetes.js';
import { requirePlan, taskStates } from '../../../run/cluster/plan.js';
import { followSlurm, submitToSlurm, type SlurmSubmission } from '../../../run/cluster/slurm.js';
import { openRun } from '../../../store/open.js';
import { printJson, printLine, say } from '../../output.js';
import { addProcesses, parseCount, parsePath } from '../run.js';
import { type QueueOptions, submitQueue } from './queue.js';
import { watch } from './watch.js';

interface SubmitCommandOptions extends QueueOptions {
  readonly slurm?: boolean;
  readonly kubernetes?: boolean;
  readonly image?: string;
  readonly claim?: string;
  readonly secret?: string;
  readonly processors?: number;
  readonly parallelism?: number;
  readonly follow?: boolean;
  readonly mixed?: boolean;
  readonly data?: string;
  readonly scratch?: string;
  readonly processes?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export function submitCommand(): Command {
  const command = new Command('submit')
    .description('hand the tasks of a plan that are missing, and their merging, to a scheduler')
    .argument('<run>', 'run folder that all machines see at the same path')
    .argument('[options...]', 'behind --: further options of sbatch, or of lca work on Kubernetes')
    .option('--slurm', 'as a job array of Slurm')
    .option('--kubernetes', 'print the manifests of an Indexed Job and of one that merges, for kubectl apply -f -')
    .option('--redis [url]', 'into a queue in Redis, for lca work RUN --redis: redis[s]://[USER:PASSWORD@]HOST[:PORT] (default: $REDIS_URL)')
    .option('--queue <name>', 'name of the queue, with --redis (default: from the name of the run)')
    .option('--image <name>', 'container image, with --kubernetes (default: lossledger:VERSION)')
    .option('--claim <name>', 'volume claim that holds the run folder, with --kubernetes (default: lossledger)')
    .option('--secret <name>', 'secret with the variables of an object store, with --kubernetes (default: lossledger-s3)')
    .option('--processors <count>', 'of a worker, with --kubernetes (default: 4)', parseCount)
    .option('--parallelism <count>', 'workers at a time, with --kubernetes (default: all)', parseCount)
    .option('--follow', 'show progress until all jobs have ended; status 1 where something is missing then')
    .option('--mixed', 'go on on machines that give other bits than those planned for')
    .option('--data <place>', 'where the data of the run are on those machines')
    .option('--scratch <folder>', 'their local disk, for what is kept there of a run in an object store (default: the cache folder)', parsePath)
    .option('--json', 'print one JSON document')
    .option('--quiet', 'no progress'); // prettier-ignore
  return addProcesses(command).action(submit);
}

async function submit(folder: string, own: string[], options: SubmitCommandOptions): Promise<void> {
  const { slurm, kubernetes, redis } = options;
  if ([slurm, kubernetes, redis].filter(Boolean).length !== 1) {
    throw new UsageError({
      given: slurm || kubernetes || redis ? 'more than one scheduler' : 'no scheduler',
      expected: '--slurm, --kubernetes or --redis',
      remedy: 'name one; without a scheduler start lca work RUN --task I on each machine',
    });
  }
  if (redis) await submitQueue(folder, options);
  else if (kubernetes) await printKubernetes(folder, own, options);
  else await submitSlurm(folder, own, options);
}

/** What `lca work` is told there, as words. */
function wordsFor({ data, scratch, processes }: SubmitCommandOptions): string[] {
  return Object.entries({ data, scratch, processes }).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)])); // prettier-ignore
}

async function printKubernetes(
  folder: string,
  own: readonly string[],
  options: SubmitCommandOptions,
): Promise<void> {
  const { image, claim, secret, processors, parallelism, mixed } = options;
  const work = [...wordsFor(options), ...own];
  const manifest = await kubernetesManifest(folder, { image, claim, secret, processors, parallelism, work, mixed }); // prettier-ignore
  process.stdout.write(manifest);
}

async function submitSlurm(
  folder: string,
  own: readonly string[],
  options: SubmitCommandOptions,
): Promise<void> {
  const { mixed = false, json, follow, quiet } = options;
  const submission = await submitToSlurm(folder, { options: own, work: wordsFor(options), mixed });
  if (json) printJson({ run: folder, ...submission });
  else printSubmission(submission);
  if (!follow) return;
  await watch((signal) => followSlurm(folder, submission, signal), quiet);
  await sayMerged(folder);
}

function printSubmission({ array, merge, tasks }: SlurmSubmission): void {
  if (array !== null) printLine(`job ${array}: tasks ${tasks}`);
  printLine(`job ${merge}: merging${array === null ? '' : ' when they have ended'}`);
}

/** Says how much is in the run; status 1 where something is missing. */
async function sayMerged(folder: string): Promise<void> {
  const run = await openRun(folder);
  const states = await taskStates(run, await requirePlan(run));
  const left = states.flatMap((state, task) => (state === 'merged' ? [] : [task]));
  const { segments, iterations } = run.status;
  say(`${segments} of ${iterations} segments are in the run.`);
  if (left.length === 0) return;
  say(
    `Not merged: ${arrayExpression(left)}. The logs of the jobs say why; lca submit does again what is missing.`,
  );
  process.exitCode = 1;
}
