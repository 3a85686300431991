import { Command } from 'commander';
import { UsageError } from '../../../errors.js';
import { arrayExpression, type Plan } from '../../../format/parts/plan.js';
import {
  type Division,
  planTasks,
  requirePlan,
  taskStates,
  type TaskState,
} from '../../../run/cluster/plan.js';
import { openRun } from '../../../store/open.js';
import { columns, printJson, printLine, say } from '../../output.js';
import { parseCount, parsePath, parseTasks } from '../run.js';

interface PlanCommandOptions {
  readonly tasks?: number;
  readonly minutes?: number;
  readonly missing?: boolean;
  readonly anew?: boolean;
  readonly data?: string;
  readonly workers?: number;
  readonly scratch?: string;
  readonly json?: boolean;
}

export function planCommand(): Command {
  return new Command('plan')
    .description('divide the segments of a run into tasks for many machines, or list the tasks that it has')
    .argument('<run>', 'run folder of `lca train`')
    .option('--tasks <count>', 'divide what is not planned yet into so many tasks', parseTasks)
    .option('--minutes <minutes>', 'divide it into tasks of so many minutes, by the rate on this machine', parseCount)
    .option('--missing', 'print the numbers of the tasks that have no part yet, such as 3,17-19')
    .option('--anew', 'remove the plan that is there, with the parts that are not merged')
    .option('--data <place>', 'where the data of the run are now, if they were moved')
    .option('--workers <count>', 'threads of a task, for --minutes (default: one per core)', parseCount)
    .option('--scratch <folder>', 'local disk for what is kept here of a run in an object store (default: the cache folder)', parsePath)
    .option('--json', 'print one JSON document')
    .action(async (folder: string, options: PlanCommandOptions) => {
      const division = divisionOf(options);
      if (division !== null) await plan(folder, division, options);
      else if (options.anew) throw withoutDivision();
      else await list(folder, options);
    }); // prettier-ignore
}

function divisionOf({ tasks, minutes, missing }: PlanCommandOptions): Division | null {
  if ([tasks, minutes, missing].filter((value) => value !== undefined).length > 1) {
    throw new UsageError({
      given: 'more than one of --tasks, --minutes and --missing',
      expected: 'one of them, or none to list the plan',
      remedy: 'leave out the others',
    });
  }
  if (tasks !== undefined) return { tasks };
  return minutes === undefined ? null : { minutes };
}

async function plan(folder: string, division: Division, options: PlanCommandOptions): Promise<void> {
  const { data, anew, workers, scratch } = options;
  const tasks = await planTasks(folder, division, { data, workers, scratch, ...(anew ? { anew } : {}) });
  const expression = arrayExpression(tasks.map(({ task }) => task));
  if (options.json) {
    printJson({ run: folder, array: expression, tasks: tasks.map(({ task, from, to }) => ({ task, from, to })) });
    return;
  } // prettier-ignore
  printLine(expression);
  const segments = tasks.reduce((sum, { from, to }) => sum + to - from, 0);
  say(`${tasks.length} tasks of ${segments} segments are planned. Each: lca work ${folder} --task I; then: lca merge ${folder}`);
} // prettier-ignore

async function list(folder: string, { missing, json }: PlanCommandOptions): Promise<void> {
  const run = await openRun(folder);
  const planned = await requirePlan(run);
  const states = await taskStates(run, planned);
  const left = states.flatMap((state, task) => (state === 'missing' ? [task] : []));
  if (missing) printLine(arrayExpression(left));
  else if (json) printJson({ run: folder, missing: arrayExpression(left), tasks: rowsOf(planned, states) });
  else {
    const rows = rowsOf(planned, states).map((row) => [String(row.task), `${row.from}:${row.to}`, row.state]);
    printLine(columns([['task', 'segments', 'state'], ...rows]));
  }
}

function rowsOf({ tasks }: Plan, states: readonly TaskState[]) {
  return tasks.map(({ task, from, to }) => ({ task, from, to, state: states[task]! }));
}

function withoutDivision(): UsageError {
  return new UsageError({
    given: '--anew alone',
    expected: 'into how many tasks to plan anew',
    remedy: 'add --tasks N or --minutes M',
  });
}
