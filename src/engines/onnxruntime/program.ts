import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { EngineError } from '../../errors.js';
import type { Graph, Value } from '../../graph/types.js';
import { sizeOf } from '../../graph/types.js';
import type { Feeds, Program } from '../types.js';
import { checkFeed } from '../checks.js';
import { labelRanges, ownMemory, type LabelRange } from './feeds.js';
import { outputName } from './lower.js';
import type { LoweredModel } from './lower.js';
import { memoryOf } from './memory.js';
import { firstLine, loadRuntime } from './runtime.js';

type Tensors = Record<string, Tensor>;

/** Makes a session for a graph; called at most twice by a program. */
export type OpenSession = (graph: Graph) => Promise<{ session: InferenceSession; lowered: LoweredModel }>;

/** A session with the buffers that its results are written into. */
interface Compiled {
  readonly session: InferenceSession;
  readonly lowered: LoweredModel;
  readonly fetches: Tensors;
}

/** Where one parameter's gradient goes. */
interface GradientSlot {
  readonly fetch: string;
  readonly offset: number;
}

export class OnnxruntimeProgram implements Program {
  readonly memory: number;
  readonly #parameters = new Map<Value, Float32Array>();
  readonly #tensors = new Map<Value, Tensor>();
  readonly #slots: readonly GradientSlot[];
  readonly #labels: readonly LabelRange[];
  #whole: Compiled | undefined;
  #lossOnly: Compiled | undefined;

  private constructor(
    readonly graph: Graph,
    readonly open: OpenSession,
  ) {
    const { Tensor } = loadRuntime();
    const slots: GradientSlot[] = [];
    let offset = 0;
    for (const [k, { value }] of graph.parameters.entries()) {
      const data = new Float32Array(sizeOf(value.shape));
      this.#parameters.set(value, data);
      this.#tensors.set(value, new Tensor('float32', data, value.shape));
      slots.push({ fetch: outputName(k + 1), offset });
      offset += data.length;
    }
    this.#slots = slots;
    this.#labels = labelRanges(graph);
    this.memory = memoryOf(graph);
  }

  static async compile(graph: Graph, open: OpenSession): Promise<OnnxruntimeProgram> {
    const program = new OnnxruntimeProgram(graph, open);
    program.#whole = await program.#compile(graph);
    return program;
  }

  /** Sets θ [K]. Throws EngineError where it has another length. */
  load(theta: Float64Array): void {
    let offset = 0;
    for (const data of this.#parameters.values()) {
      data.set(theta.subarray(offset, offset + data.length));
      offset += data.length;
    }
    if (offset !== theta.length) {
      throw new EngineError({
        given: `a parameter vector of ${theta.length} numbers`,
        expected: `${offset} numbers, as graph ${this.graph.name} has`,
        remedy: 'load the parameters of this model',
      });
    }
  }

  async run(feeds: Feeds, gradient?: Float64Array): Promise<number> {
    for (const range of this.#labels) range.check(feeds);
    const hasGradients = this.graph.outputs.length > 1;
    const compiled = gradient !== undefined || !hasGradients ? this.#whole! : await this.#lossProgram();
    const results = await this.#execute(compiled, feeds);
    if (gradient !== undefined && hasGradients) this.#accumulate(results, gradient);
    return (results[outputName(0)]!.data as Float64Array)[0]!;
  }

  async dispose(): Promise<void> {
    const compiled = [this.#whole, this.#lossOnly];
    this.#whole = this.#lossOnly = undefined;
    for (const one of compiled) await one?.session.release();
  }

  async #compile(graph: Graph): Promise<Compiled> {
    const { Tensor } = loadRuntime();
    const { session, lowered } = await this.open(graph);
    const fetches: Tensors = {};
    for (const { name, dtype, shape } of lowered.outputs) {
      const size = sizeOf(shape);
      fetches[name] =
        dtype === 'float64'
          ? new Tensor('float64', new Float64Array(size), shape)
          : new Tensor('float32', new Float32Array(size), shape);
    }
    return { session, lowered, fetches };
  }

  /** The graph without its gradients, compiled when a loss alone is first asked for. */
  async #lossProgram(): Promise<Compiled> {
    this.#lossOnly ??= await this.#compile({ ...this.graph, outputs: this.graph.outputs.slice(0, 1) });
    return this.#lossOnly;
  }

  async #execute({ session, lowered, fetches }: Compiled, feeds: Feeds): Promise<Tensors> {
    const { Tensor } = loadRuntime();
    const inputs: Tensors = {};
    for (const [name, value] of lowered.inputs) {
      const parameter = this.#tensors.get(value);
      inputs[name] =
        parameter ?? new Tensor(value.dtype, ownMemory(checkFeed(value, feeds)) as never, value.shape);
    }
    try {
      return await session.run(inputs, fetches);
    } catch (cause) {
      throw runFailed(this.graph, cause);
    }
  }

  #accumulate(results: Tensors, gradient: Float64Array): void {
    for (const { fetch, offset } of this.#slots) {
      const part = results[fetch]!.data as Float32Array;
      for (let k = 0; k < part.length; k++) gradient[offset + k]! += part[k]!;
    }
  }
}

function runFailed(graph: Graph, cause: unknown): EngineError {
  return new EngineError(
    {
      given: `graph ${graph.name} failed in ONNX Runtime: ${firstLine(cause)}`,
      expected: 'a run of all its nodes',
      remedy: 'try a smaller chunk if memory ran out, else the reference engine, and report this',
    },
    { cause },
  );
}
