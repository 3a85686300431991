import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { engineNamed } from '../engines/registry.js';
import type { EngineFacts } from '../engines/types.js';
import { EngineError, isLossledgerError } from '../errors.js';
import type { Graph } from '../graph/types.js';
import { end, type EvaluationTask, type WorkerReply, type WorkerSetup } from './messages.js';

/** Runs evaluations on worker threads, which share the lanes of each among themselves. One failure fails the pool for good. */
export class WorkerPool {
  readonly #workers: Worker[] = [];
  readonly #done: (evaluation: number) => void;
  readonly #failed: (error: Error) => void;
  readonly #facts: EngineFacts;
  #closed = false;

  private constructor(
    facts: EngineFacts,
    { done, failed }: { done: (evaluation: number) => void; failed: (error: Error) => void },
  ) {
    this.#facts = facts;
    this.#done = done;
    this.#failed = failed;
  }

  /**
   * Starts `count` workers and waits until all have their programs, which are compiled here where the engine can do that once for all. They start by
   * as many as there are cores: a hundred at once would stand in each other's way.
   *
   * @throws EngineError where a worker cannot be started, or fails.
   */
  static async start(
    given: PoolSetup,
    count: number,
    on: { done: (evaluation: number) => void; failed: (error: Error) => void },
  ): Promise<WorkerPool> {
    const { facts } = await engineNamed(given.engine);
    const pool = new WorkerPool(facts, on);
    try {
      const setup = await prepared(given);
      for (let started = 0; started < count; started += availableParallelism()) {
        const more = Math.min(availableParallelism(), count - started);
        await Promise.all(Array.from({ length: more }, () => pool.#add(setup)));
      }
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  }

  submit(task: EvaluationTask): void {
    for (const worker of this.#workers) worker.postMessage(task);
  }

  /** Ends the workers: at once, or where the engine needs that between two runs of their programs. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(
      this.#workers.map((worker) => (this.#facts.interruptible ? worker.terminate() : ended(worker))),
    );
  }

  #add(setup: WorkerSetup): Promise<void> {
    const worker = startWorker(setup);
    this.#workers.push(worker);
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => {
        reject(error);
        if (!this.#closed) this.#failed(error);
      };
      worker.on('message', (reply: WorkerReply) => {
        if (reply.kind === 'ready') resolve();
        else if (reply.kind === 'done') this.#done(reply.evaluation);
        else fail(new EngineError(reply.problem, { exitCode: reply.exitCode }));
      });
      worker.on('error', (error) => {
        fail(isLossledgerError(error) ? error : workerFailed(error, this.#workers.length));
      });
      worker.on('exit', (code) => {
        if (!this.#closed) fail(workerDied(code));
      });
    });
  }
}

/** What a pool is started with: its programs as graphs. */
type PoolSetup = WorkerSetup & { readonly graphs: ReadonlyMap<string, Graph> };

/** The setup with its programs prepared, where the engine does that. */
async function prepared(setup: PoolSetup): Promise<WorkerSetup> {
  const engine = await engineNamed(setup.engine);
  if (engine.prepare === undefined) return setup;
  const graphs = [...setup.graphs].map(async ([key, graph]) => [key, await engine.prepare!(graph)] as const);
  return { ...setup, graphs: new Map(await Promise.all(graphs)) };
}

/** Threads run the bundled program, also where the caller runs from TypeScript (tests do, after a build). */
const workerUrl = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/bin/worker.js' : '../bin/worker.js',
  import.meta.url,
);

function startWorker(setup: WorkerSetup): Worker {
  return new Worker(workerUrl, { workerData: setup });
}

/** Asks a worker to end, and resolves when it has, also by an error. */
function ended(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    // A thread that has ended has no number.
    if (worker.threadId < 0) return resolve();
    worker.once('exit', () => { resolve(); }); // prettier-ignore
    worker.postMessage(end);
  });
}

/** A thread that the system does not give, or that runs out of memory. */
function workerFailed(cause: unknown, workers: number): EngineError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return new EngineError(
    {
      given: `worker thread ${workers}, which failed: ${text}`,
      expected: 'threads, open files and memory for so many workers',
      remedy: 'run with fewer (--workers), or raise the limits (ulimit -n, -u, -v); `lca resume` continues where a run stopped',
    },
    { cause },
  ); // prettier-ignore
}

function workerDied(code: number): EngineError {
  return new EngineError({
    given: `a worker thread ended by itself (exit code ${code})`,
    expected: 'workers that live as long as the run',
    remedy: 'run with --workers 1 or another --engine; `lca resume` continues where the run stopped',
  });
}
