import { EngineError } from '../../errors.js';
import { sizeOf } from '../../graph/types.js';
import type { Want } from '../../quadrature/types.js';
import { ObjectiveProcess, type Answer, type ProcessOptions } from './client.js';
import type { Statement } from './protocol.js';

/** How many processes share the work, and how each is run. */
export interface PoolOptions extends ProcessOptions {
  /** Default 1. */
  readonly processes?: number | undefined;
}

/**
 * One or more processes of the same program, to each of which a θ goes as it becomes free. What is computed at a θ depends on it alone, and
 * whoever asks adds up in an order of its own, so a program that is deterministic gives the same with any number of processes.
 */
export class ObjectivePool {
  readonly #idle: ObjectiveProcess[];
  readonly #waiting: ((program: ObjectiveProcess) => void)[] = [];

  private constructor(
    readonly command: string,
    readonly members: readonly ObjectiveProcess[],
  ) {
    this.#idle = [...members];
  }

  /** Starts the processes, with LOSSLEDGER_PROCESS from 0 on. Throws EngineError where one makes no statement, or another than the first. */
  static async start(command: string, { processes = 1, ...options }: PoolOptions): Promise<ObjectivePool> {
    const starting = Array.from({ length: processes }, (_, index) =>
      ObjectiveProcess.start(command, options, index),
    );
    const settled = await Promise.allSettled(starting);
    const members = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const pool = new ObjectivePool(command, members);
    try {
      for (const each of settled) if (each.status === 'rejected') throw each.reason as Error;
      pool.#requireSame();
      return pool;
    } catch (error) {
      pool.close();
      throw error;
    }
  }

  /** What the program says of itself. */
  get statement(): Statement {
    return this.members[0]!.statement;
  }

  /** K */
  get size(): number {
    return this.statement.parameters.reduce((total, { shape }) => total + sizeOf(shape), 0);
  }

  /** Losses and gradients at θ [K], as soon as a process is free. Throws EngineError where the program fails, hangs or answers something else. */
  async evaluate(theta: Float64Array, want: Want): Promise<Answer> {
    const program = this.#idle.shift() ?? (await new Promise<ObjectiveProcess>((free) => this.#waiting.push(free))); // prettier-ignore
    try {
      return await program.evaluate(theta, want);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#idle.push(program);
      else next(program);
    }
  }

  /** Ends the processes and all that they started. */
  close(): void {
    for (const member of this.members) member.close();
  }

  #requireSame(): void {
    const [first, ...others] = this.members.map(({ statement }) => JSON.stringify(statement));
    if (others.every((each) => each === first)) return;
    throw new EngineError({
      given: `objective process ${this.command}, of whose processes not all state the same`,
      expected: 'one statement, whatever LOSSLEDGER_PROCESS is',
      remedy: 'let the number of the process decide on devices alone',
    });
  }
}
