import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError, UsageError } from '../../errors.js';
import { makeFolder } from '../../folders.js';
import { packageFolder } from '../../experiment/version.js';
import { arrayExpression } from '../../format/parts/plan.js';
import { openRun } from '../../store/open.js';
import { fromAnywhere, isRemote } from '../../store/s3/remote-run.js';
import { requirePlan, taskStates, type TasksProgress } from './plan.js';

/** What is submitted to Slurm. */
export interface SlurmSubmission {
  /** Numbers of the job of the array, null where no task is missing, and of the job that merges. */
  readonly array: string | null;
  readonly merge: string;
  /** The tasks of the array, such as `3,17-19`. */
  readonly tasks: string;
}

interface SubmitOptions {
  /** Further options of sbatch, for both jobs. */
  readonly options?: readonly string[];
  /** Further options of `lca work`. */
  readonly work?: readonly string[];
  /** Takes parts of other machines or versions than those that the plan is for. */
  readonly mixed?: boolean;
}

/**
 * Submits the tasks that have no part yet as a job array, and a job that merges the parts once all of them have ended. Nothing is kept of it here: the
 * parts tell what is done.
 *
 * @throws UsageError where there is no plan, or a task's number is too large for this Slurm; EngineError where sbatch refuses.
 */
export async function submitToSlurm(
  folder: string,
  { options = [], work = [], mixed = false }: SubmitOptions = {},
): Promise<SlurmSubmission> {
  const run = await openRun(folder);
  const states = await taskStates(run, await requirePlan(run));
  const missing = states.flatMap((state, task) => (state === 'missing' ? [task] : []));
  await requireArraySize(missing.at(-1) ?? 0);
  // A bucket takes no output of jobs.
  const logs = isRemote(folder) ? resolve('lca-logs') : join(resolve(folder), 'logs');
  await makeFolder(logs);
  const own = ['--parsable', '--requeue', '--open-mode=append'];
  const submit = async (name: string, output: string, script: string, more: readonly string[]) => {
    const args = [...own, `--job-name=lca-${name}`, `--output=${join(logs, output)}`, ...more, ...options];
    return (await call('sbatch', args, script)).trim().split(';')[0]!;
  };
  const flags = mixed ? ['--mixed'] : [];
  const tasks = arrayExpression(missing);
  const array =
    missing.length === 0
      ? null
      : await submit('work', '%A_%a.txt', workScript(folder, [...flags, ...work]), [`--array=${tasks}`, '--signal=B:TERM@90']); // prettier-ignore
  const merge = await submit(
    'merge',
    '%j-merge.txt',
    `#!/bin/sh\nexec ${command('merge', folder, ['--quiet', ...flags])}\n`,
    array === null ? [] : [`--dependency=afterany:${array}`],
  );
  return { array, merge, tasks };
}

/** Tells how a submission stands (jobs, of the array one for each task), every few seconds, until Slurm knows it no more. Throws EngineError where Slurm does not answer for a minute. */
export async function* followSlurm(
  folder: string,
  { array, merge }: Pick<SlurmSubmission, 'array' | 'merge'>,
  signal?: AbortSignal,
): AsyncGenerator<TasksProgress> {
  for (;;) {
    signal?.throwIfAborted();
    const jobs = await jobStates([...(array === null ? [] : [array]), merge]);
    const run = await openRun(folder);
    const states = await taskStates(run, await requirePlan(run));
    yield {
      waiting: jobs.filter((state) => state !== 'RUNNING').length,
      running: jobs.filter((state) => state === 'RUNNING').length,
      done: states.filter((state) => state !== 'missing').length,
      tasks: states.length,
    };
    if (jobs.length === 0) return;
    await sleep(pollMs);
  }
}

const pollMs = 2_000;
/** A controller that is started again answers after some seconds. */
const patience = 30;

/** States of the jobs that Slurm has not ended. */
async function jobStates(jobs: readonly string[]): Promise<string[]> {
  for (let tried = 1; ; tried++) {
    try {
      // A job that ended long ago is an error to squeue where it is asked for by its number.
      const lines = (await call('squeue', ['--noheader', '--array', '--me', '--format=%A %F %T'])).split('\n');
      const found = lines.map((line) => line.trim().split(' '));
      return found.flatMap(([job, array, state]) => (jobs.includes(job!) || jobs.includes(array!) ? [state!] : []));
    } catch (error) {
      if (tried === patience) throw error;
      await sleep(pollMs);
    }
  }
} // prettier-ignore

/** Slurm's arrays have indices below a limit that its configuration states. */
async function requireArraySize(last: number): Promise<void> {
  const text = await call('scontrol', ['show', 'config']);
  const limit = Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(text)?.[1] ?? 1001);
  if (last < limit) return;
  throw new UsageError({
    given: `task ${last}`,
    expected: `tasks from 0 to ${limit - 1}, since this Slurm’s MaxArraySize is ${limit}`,
    remedy: `plan at most ${limit} tasks: lca plan RUN --tasks ${limit} --anew`,
  });
}

/**
 * A worker as a child of the script, so that a signal reaches it, and its task is put into the queue again when it was told to go. A job that ends by
 * itself with another status stays ended.
 */
function workScript(folder: string, flags: readonly string[]): string {
  const worker = command('work', folder, ['--quiet', ...flags]);
  return `#!/bin/bash
${worker} --workers "\${SLURM_CPUS_PER_TASK:-\${SLURM_CPUS_ON_NODE:-1}}" &
worker=$!
trap 'kill -TERM $worker' TERM
wait $worker; status=$?
while kill -0 $worker 2>/dev/null; do wait $worker; status=$?; done
if [ $status = 75 ]; then scontrol requeue "$SLURM_JOB_ID"; fi
exit $status
`;
}

/** A command line of this Lossledger, quoted for a shell. */
function command(name: string, folder: string, flags: readonly string[]): string {
  const words = [
    process.execPath,
    join(packageFolder, 'dist/bin/lca.js'),
    name,
    fromAnywhere(folder),
    ...flags,
  ];
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
}

/** What a command of Slurm prints. Throws EngineError with what it says where it fails. */
function call(name: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn(name, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let [output, message] = ['', ''];
    child.stdout.on('data', (text: Buffer) => (output += text.toString()));
    child.stderr.on('data', (text: Buffer) => (message += text.toString()));
    child.on('error', (error) => { fail(refused(name, error.message)); }); // prettier-ignore
    child.on('close', (code) => {
      if (code === 0) done(output);
      else fail(refused(name, message.trim() || `status ${code ?? 'unknown'}`));
    });
    // A command that ends before it reads says so by its status.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

function refused(name: string, what: string): EngineError {
  return new EngineError({
    given: `${name} failed: ${what}`,
    expected: 'a Slurm that takes jobs from this machine',
    remedy:
      'try sinfo here; options of sbatch stand behind --, such as lca submit RUN --slurm -- --partition=P',
  });
}
