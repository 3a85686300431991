import { parentPort } from 'node:worker_threads';
import type { PreparedProgram, Program } from '../engines/types.js';
import { isLossledgerError } from '../errors.js';
import type { Graph } from '../graph/types.js';
import { engineNamed, openProgram } from '../engines/registry.js';
import { firstPiecesOf } from './chunks.js';
import { evaluateLane } from './lane.js';
import { evaluateShared } from './shared-forward.js';
import {
  end, type EvaluationTask, finishLane, release, takeLane, type WorkerMessage, type WorkerReply, type WorkerSetup,
} from './messages.js'; // prettier-ignore

const port = parentPort!;

function reply(message: WorkerReply): void {
  port.postMessage(message);
}

/** Programs of one plan, and what works on its evaluations. */
interface Serving {
  readonly engine: string;
  readonly programs: ReadonlyMap<string, Program>;
  readonly run: (task: EvaluationTask) => Promise<void>;
}

function fail(error: unknown, engine: string): void {
  if (isLossledgerError(error)) {
    reply({ kind: 'failed', problem: error.problem, exitCode: error.exitCode });
    return;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  reply({
    kind: 'failed',
    problem: {
      given: `engine ${engine} failed: ${text}`,
      expected: 'a loss and a gradient',
      remedy: 'try another engine (--engine), or report this with the text above',
    },
    exitCode: 1,
  });
}

async function compileAll({ engine, graphs }: WorkerSetup): Promise<Map<string, Program>> {
  const programOf = async (given: Graph | PreparedProgram) =>
    'content' in given ? openProgram(given) : (await engineNamed(engine)).compile(given);
  const compiled = [...graphs].map(async ([key, given]) => [key, await programOf(given)] as const);
  return new Map(await Promise.all(compiled));
}

/** Compiles, and says how to work on an evaluation: lane after lane while there are any that no other worker took. */
async function serve(setup: WorkerSetup): Promise<Serving> {
  const programs = await compileAll(setup);
  const { engine, objectives, masks, strips, lanes, size, slots } = setup;
  const cellular = objectives.some(({ cells }) => cells !== null);
  const arrays = (count: number) => Array.from({ length: count }, () => new Float64Array(size));
  const scratch = new Float64Array(cellular ? size : 0);
  const shared = arrays(lanes.some(({ sharesForward }) => sharesForward) ? 2 : 0);
  const work = { programs, objectives, masks, strips, scratch, shared };
  const firstPieces = firstPiecesOf(lanes);
  const run = async (task: EvaluationTask): Promise<void> => {
    const slot = slots[task.slot]!;
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
  return { engine, programs, run };
}

let serving: Serving | null = null;

/** Does what the pool asks for, in the order in which it came. */
async function follow(message: Exclude<WorkerMessage, typeof end>): Promise<void> {
  if (message === release) {
    for (const program of serving?.programs.values() ?? []) await program.dispose();
    serving = null;
    return;
  }
  const engine = 'engine' in message ? message.engine : serving!.engine;
  try {
    if ('slot' in message) return await serving!.run(message);
    serving = await serve(message);
    reply({ kind: 'ready' });
  } catch (error) {
    fail(error, engine);
  }
}

let tail: Promise<void> = Promise.resolve();
port.on('message', (message: WorkerMessage) => {
  // Ends this thread alone, and no run of a program is under way while this is heard.
  if (message === end) process.exit();
  tail = tail.then(() => follow(message));
});
