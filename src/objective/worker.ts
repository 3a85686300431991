import { parentPort, workerData } from 'node:worker_threads';
import type { PreparedProgram, Program } from '../engines/types.js';
import { isLossledgerError } from '../errors.js';
import type { Graph } from '../graph/types.js';
import { engineNamed, openProgram } from '../engines/registry.js';
import { firstPiecesOf } from './chunks.js';
import { evaluateLane } from './lane.js';
import { evaluateShared } from './shared-forward.js';
import {
  end, type EvaluationTask, finishLane, takeLane, type WorkerReply, type WorkerSetup,
} from './messages.js'; // prettier-ignore

const port = parentPort!;
const setup = workerData as WorkerSetup;

function reply(message: WorkerReply): void {
  port.postMessage(message);
}

function fail(error: unknown): void {
  if (isLossledgerError(error)) {
    reply({ kind: 'failed', problem: error.problem, exitCode: error.exitCode });
    return;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  reply({
    kind: 'failed',
    problem: {
      given: `engine ${setup.engine} failed: ${text}`,
      expected: 'a loss and a gradient',
      remedy: 'try another engine (--engine), or report this with the text above',
    },
    exitCode: 1,
  });
}

async function compileAll(): Promise<Map<string, Program>> {
  const programOf = async (given: Graph | PreparedProgram) =>
    'content' in given ? openProgram(given) : (await engineNamed(setup.engine)).compile(given);
  const compiled = [...setup.graphs].map(async ([key, given]) => [key, await programOf(given)] as const);
  return new Map(await Promise.all(compiled));
}

/** Works on evaluations in the order they came: of each, lane after lane while there are any that no other worker took. */
function serve(programs: ReadonlyMap<string, Program>): void {
  const { objectives, masks, strips, lanes, size } = setup;
  const cellular = objectives.some(({ cells }) => cells !== null);
  const arrays = (count: number) => Array.from({ length: count }, () => new Float64Array(size));
  const scratch = new Float64Array(cellular ? size : 0);
  const shared = arrays(lanes.some(({ sharesForward }) => sharesForward) ? 2 : 0);
  const work = { programs, objectives, masks, strips, scratch, shared };
  const firstPieces = firstPiecesOf(lanes);
  const runTask = async (task: EvaluationTask): Promise<void> => {
    const slot = setup.slots[task.slot]!;
    let index = takeLane(task);
    if (index >= lanes.length) return;
    for (const program of programs.values()) program.load(slot.theta);
    for (; index < lanes.length; index = takeLane(task)) {
      const lane = lanes[index]!;
      const evaluate = lane.sharesForward ? evaluateShared : evaluateLane;
      await evaluate(work, { lane, index, firstPiece: firstPieces[index]! }, slot, task);
      if (finishLane(task) === lanes.length) reply({ kind: 'done', evaluation: task.evaluation });
    }
  };
  let tail: Promise<void> = Promise.resolve();
  port.on('message', (task: EvaluationTask | typeof end) => {
    // Ends this thread alone, and no run of a program is under way while this is heard.
    if (task === end) process.exit();
    tail = tail.then(() => runTask(task)).catch(fail);
  });
}

try {
  serve(await compileAll());
  reply({ kind: 'ready' });
} catch (error) {
  fail(error);
}
