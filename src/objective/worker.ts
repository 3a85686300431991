import { parentPort, workerData } from 'node:worker_threads';
import type { Program } from '../engines/types.js';
import { isLossledgerError } from '../errors.js';
import { engineNamed } from '../engines/registry.js';
import { firstPiecesOf } from './chunks.js';
import { evaluateLane } from './lane.js';
import type { LaneTask, WorkerReply, WorkerSetup } from './messages.js';

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
  const engine = await engineNamed(setup.engine);
  const compiled = [...setup.graphs].map(async ([key, graph]) => [key, await engine.compile(graph)] as const);
  return new Map(await Promise.all(compiled));
}

/** Runs lane tasks one after the other, in the order they came. */
function serve(programs: ReadonlyMap<string, Program>): void {
  const { objectives, masksLabels, strips, lanes, size } = setup;
  const cellular = objectives.some(({ cells }) => cells !== null);
  const work = { programs, objectives, masksLabels, strips, scratch: new Float64Array(cellular ? size : 0) };
  const firstPieces = firstPiecesOf(lanes);
  let loaded = -1;
  const runTask = async (task: LaneTask): Promise<void> => {
    const slot = setup.slots[task.slot]!;
    if (loaded !== task.evaluation) {
      for (const program of programs.values()) program.load(slot.theta);
      loaded = task.evaluation;
    }
    const index = task.lane;
    await evaluateLane(work, { lane: lanes[index]!, index, firstPiece: firstPieces[index]! }, slot, task); // prettier-ignore
    reply({ kind: 'done', task });
  };
  let tail: Promise<void> = Promise.resolve();
  port.on('message', (task: LaneTask) => {
    tail = tail.then(() => runTask(task)).catch(fail);
  });
}

try {
  serve(await compileAll());
  reply({ kind: 'ready' });
} catch (error) {
  fail(error);
}
