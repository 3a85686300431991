import { availableParallelism } from 'node:os';
import { engineNamed } from '../engines/registry.js';
import type { EngineFacts } from '../engines/types.js';
import { EngineError, isLossledgerError } from '../errors.js';
import type { Graph } from '../graph/types.js';
import { type EvaluationTask, type WorkerReply, type WorkerSetup } from './messages.js';
import { ended, type Thread, Threads } from './threads.js';

/** What a pool tells of: evaluations that are done, and the failure after which there are no more. */
interface PoolListener {
  readonly done: (evaluation: number) => void;
  readonly failed: (error: Error) => void;
}

/** Runs evaluations on worker threads, which share the lanes of each among themselves. One failure fails the pool for good. */
export class WorkerPool {
  readonly #workers: Thread[] = [];
  readonly #on: PoolListener;
  readonly #facts: EngineFacts;
  readonly #threads: Threads;
  /** Whether nobody else uses the threads. */
  readonly #own: boolean;
  /** Evaluations that the workers have not done. */
  #underWay = 0;
  #state: 'starting' | 'working' | 'failed' | 'closed' = 'starting';

  private constructor(facts: EngineFacts, threads: Threads | undefined, on: PoolListener) {
    this.#facts = facts;
    this.#threads = threads ?? new Threads();
    this.#own = threads === undefined;
    this.#on = on;
  }

  /**
   * Starts `count` workers and waits until all have their programs, which are compiled here where the engine can do that once for all. They start by
   * as many as there are cores: a hundred at once would stand in each other's way.
   *
   * @param threads Where they come from, and go to when the pool is closed; default new ones, which end then.
   * @throws EngineError where a worker cannot be started, or fails.
   */
  static async start(
    given: PoolSetup,
    count: number,
    on: PoolListener,
    threads?: Threads,
  ): Promise<WorkerPool> {
    const { facts } = await engineNamed(given.engine);
    const pool = new WorkerPool(facts, threads, on);
    try {
      const setup = await prepared(given);
      for (let started = 0; started < count; started += availableParallelism()) {
        const more = Math.min(availableParallelism(), count - started);
        await Promise.all(Array.from({ length: more }, () => pool.#add(setup)));
      }
      pool.#state = 'working';
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  }

  submit(task: EvaluationTask): void {
    this.#underWay++;
    for (const worker of this.#workers) worker.postMessage(task);
  }

  /** Lets the workers go: those that work on something end, at once, or where the engine needs that between two runs of their programs. */
  async close(): Promise<void> {
    const isIdle = this.#state === 'working' && this.#underWay === 0;
    this.#state = 'closed';
    if (isIdle) for (const worker of this.#workers.splice(0)) this.#threads.give(worker);
    await Promise.all(
      this.#workers.map((worker) => (this.#facts.interruptible ? worker.terminate() : ended(worker))),
    );
    if (this.#own) await this.#threads.close();
  }

  #add(setup: WorkerSetup): Promise<void> {
    const worker = this.#threads.take();
    this.#workers.push(worker);
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => {
        reject(error);
        if (this.#state === 'closed') return;
        this.#state = 'failed';
        this.#on.failed(error);
      };
      worker.on('message', (message) => {
        const reply = message as WorkerReply;
        if (reply.kind === 'ready') resolve();
        else if (reply.kind === 'failed') fail(new EngineError(reply.problem, { exitCode: reply.exitCode }));
        else {
          this.#underWay--;
          this.#on.done(reply.evaluation);
        }
      });
      worker.on('error', (error) => {
        fail(isLossledgerError(error) ? error : workerFailed(error, this.#workers.length));
      });
      worker.on('exit', (code) => {
        fail(workerDied(code));
      });
      worker.postMessage(setup);
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
