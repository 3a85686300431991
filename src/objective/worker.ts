import { parentPort, workerData } from 'node:worker_threads';
import type { Program } from '../engines/types.js';
import { isLossledgerError } from '../errors.js';
import { engineNamed } from '../engines/registry.js';
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

async function compileAll(): Promise<Map<number, Program>> {
  const engine = await engineNamed(setup.engine);
  const compiled = [...setup.graphs].map(
    async ([size, graph]) => [size, await engine.compile(graph)] as const,
  );
  return new Map(await Promise.all(compiled));
}

/** Runs lane tasks one after the other, in the order they came. */
function serve(programs: ReadonlyMap<number, Program>): void {
  let loaded = -1;
  const runTask = async (task: LaneTask): Promise<void> => {
    const slot = setup.slots[task.slot]!;
    const lane = setup.lanes[task.lane]!;
    if (loaded !== task.evaluation) {
      for (const program of programs.values()) program.load(slot.theta);
      loaded = task.evaluation;
    }
    const examples = setup.examples[lane.part]!;
    slot.losses[task.lane] = await evaluateLane(programs, examples, lane.chunks, slot.gradients[task.lane]!);
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
