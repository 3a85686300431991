import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import * as z from 'zod';
import { EngineError } from '../../errors.js';
import { sizeOf } from '../../graph/types.js';
import type { Want } from '../../quadrature/types.js';
import { answerSchema, encodeFrame, type Frame, FrameReader, type Statement, statementSchema } from './protocol.js'; // prettier-ignore

/** What an objective process gives for one θ: of each objective the whole, then its parts. */
export interface Answer {
  /** [objectives][1 + parts] */
  readonly losses: readonly Float64Array[];
  /** [objectives][1 + parts][K]; empty where the loss alone was wanted. */
  readonly gradients: readonly (readonly Float64Array[])[];
}

/** How an objective process is run. */
export interface ProcessOptions {
  /** Seconds to wait for the statement or an answer. */
  readonly timeout: number;
}

/** Last characters of standard error that errors show. */
const shownCharacters = 2000;

/** How long a program has to end once it is asked to. */
const graceMilliseconds = 2000;

/** A program of the user's that computes losses and gradients, by frames over its standard input and output. */
export class ObjectiveProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #reader = new FrameReader();
  readonly #frames: Frame[] = [];
  #errors = '';
  #failure: EngineError | null = null;
  #wake: (() => void) | null = null;
  #tail: Promise<unknown> = Promise.resolve();
  #next = 0;
  /** Whether it and all that it started have let go of the pipes. */
  #hasEnded = false;
  #killing: NodeJS.Timeout | undefined;
  #statement: Statement | undefined;

  private constructor(
    readonly command: string,
    readonly options: ProcessOptions,
    index: number,
  ) {
    const env = { ...process.env, LOSSLEDGER_PROCESS: String(index) };
    // A group of its own, so that what a shell starts ends with it.
    this.#child = spawn(command, { shell: true, detached: true, stdio: 'pipe', env });
    this.#child.stderr.on('data', (bytes: Buffer) => {
      this.#errors = (this.#errors + bytes.toString('utf8')).slice(-shownCharacters);
    });
    this.#child.stdout.on('data', (bytes: Buffer) => { this.#take(bytes); }); // prettier-ignore
    this.#child.stdin.on('error', () => {}); // The end of the program is told by its exit.
    this.#child.on('error', (cause) => { this.#fail(`that cannot be started: ${cause.message}`); }); // prettier-ignore
    this.#child.on('close', (code, signal) => {
      this.#hasEnded = true;
      clearTimeout(this.#killing);
      this.#fail(`that ended (${signal === null ? `exit status ${code}` : `signal ${signal}`})`);
    });
  }

  /** Starts a program by its command line, the `index`-th of several, and reads its statement. Throws EngineError where it does not make one. */
  static async start(command: string, options: ProcessOptions, index = 0): Promise<ObjectiveProcess> {
    const started = new ObjectiveProcess(command, options, index);
    try {
      const { header } = await started.#receive();
      const result = statementSchema.safeParse(header);
      if (!result.success)
        throw started.#wrong(`a statement that does not fit: ${z.prettifyError(result.error)}`);
      started.#statement = result.data;
      return started;
    } catch (error) {
      started.close();
      throw error;
    }
  }

  /** What the program says of itself. */
  get statement(): Statement {
    return this.#statement!;
  }

  /** K */
  get size(): number {
    return this.statement.parameters.reduce((total, { shape }) => total + sizeOf(shape), 0);
  }

  /** Losses and gradients at θ [K], one θ after the other. Throws EngineError where the program fails, hangs or answers something else. */
  evaluate(theta: Float64Array, want: Want): Promise<Answer> {
    const answer = this.#tail.then(() => this.#ask(theta, want));
    this.#tail = answer.catch(() => {});
    return answer;
  }

  /** Ends the program and all that it started; what does not end when it is asked to is killed. */
  close(): void {
    this.#failure ??= this.#failed('that was closed');
    this.#child.stdin.end();
    if (this.#hasEnded || this.#child.pid === undefined) return;
    this.#kill('SIGTERM', this.#child.pid);
    this.#killing ??= setTimeout(() => { this.#kill('SIGKILL', this.#child.pid!); }, graceMilliseconds); // prettier-ignore
  }

  #kill(signal: NodeJS.Signals, pid: number): void {
    try {
      process.kill(-pid, signal);
    } catch {
      this.#child.kill(signal);
    }
  }

  async #ask(theta: Float64Array, want: Want): Promise<Answer> {
    const id = this.#next++;
    const numbers = this.statement.precision === 'float64' ? theta : Float32Array.from(theta);
    const payload = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    for (const bytes of encodeFrame({ kind: 'evaluate', id, want }, payload)) this.#child.stdin.write(bytes);
    const { header, payload: answer } = await this.#receive();
    const result = answerSchema.safeParse(header);
    if (!result.success || result.data.id !== id) {
      throw this.#wrong(`${JSON.stringify(header).slice(0, 200)} as the answer to request ${id}`);
    }
    return this.#read(answer, want);
  }

  /** Losses (float64), then gradients (of the program's precision). */
  #read(payload: Uint8Array, want: Want): Answer {
    const { objectives, precision } = this.statement;
    const wide = precision === 'float64';
    const rows = objectives.map(({ parts }) => 1 + parts.length);
    const count = rows.reduce((total, own) => total + own, 0);
    const expected = 8 * count + (want === 'loss' ? 0 : count * this.size * (wide ? 8 : 4));
    if (payload.length !== expected) throw this.#wrong(`${payload.length} bytes of numbers in place of ${expected}`); // prettier-ignore
    const losses = new Float64Array(payload.slice(0, 8 * count).buffer);
    const rest = payload.slice(8 * count).buffer;
    const gradients = wide ? new Float64Array(rest) : Float64Array.from(new Float32Array(rest));
    let first = 0;
    const starts = rows.map((own) => (first += own) - own);
    return {
      losses: rows.map((own, k) => losses.slice(starts[k], starts[k]! + own)),
      gradients: rows.map((own, k) =>
        want === 'loss' ? [] : Array.from({ length: own }, (_, part) => gradients.slice((starts[k]! + part) * this.size, (starts[k]! + part + 1) * this.size)),
      ), // prettier-ignore
    };
  }

  async #receive(): Promise<Frame> {
    const { timeout } = this.options;
    const timer = setTimeout(() => { this.#fail(`that did not answer within ${timeout} seconds`); this.close(); }, timeout * 1000); // prettier-ignore
    try {
      for (;;) {
        const frame = this.#frames.shift();
        if (frame !== undefined) return frame;
        if (this.#failure !== null) throw this.#failure;
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #take(bytes: Uint8Array): void {
    try {
      this.#frames.push(...this.#reader.push(bytes));
    } catch (error) {
      this.#failure ??= error as EngineError;
    }
    this.#wake?.();
  }

  #fail(what: string): void {
    this.#failure ??= this.#failed(what);
    this.#wake?.();
  }

  #failed(what: string): EngineError {
    const end = this.#errors.trim();
    return new EngineError({
      given: `objective process ${this.command} ${what}${end === '' ? ', and wrote nothing to standard error' : `; the end of its standard error:\n${end}`}`,
      expected: 'a program that answers until its standard input ends',
      remedy: 'mend the program, or give it more time (--process-timeout); `lca resume` goes on where a run stopped',
    }); // prettier-ignore
  }

  #wrong(given: string): EngineError {
    return new EngineError({
      given: `objective process ${this.command}: ${given}`,
      expected: 'what docs/OBJECTIVES.md describes',
      remedy: 'mend the program',
    });
  }
}
