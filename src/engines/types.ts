import type { Graph } from '../graph/types.js';
import type { VectorLoops } from '../num/vector-loops.js';

/**
 * Arrays for the graph's inputs by name, row-major, of the input's dtype (`bool` as bytes). Never written to. An engine that computes
 * in float64 takes float64 for float32, unrounded; others refuse it.
 */
export type Feeds = Readonly<
  Record<string, Float32Array | Float64Array | Uint8Array | Int32Array | BigInt64Array>
>;

export type Availability =
  { readonly ok: true; readonly detail: string } | { readonly ok: false; readonly reason: string };

/** What is true of an engine on every machine. Decisions are taken by these, never by its name. */
export interface EngineFacts {
  /** Of parameters, activations and gradients; what is fed is narrowed to it, and allocations are stored in it. */
  readonly precision: 'float32' | 'float64';
  /**
   * What one program keeps busy: the thread that calls it, so that a machine is filled by a worker a core, or a whole device, so that
   * one worker is enough.
   */
  readonly fills: 'thread' | 'device';
  /** Whether a thread may be ended while a program of it runs. Else its run must end first: the engine would take the process with it. */
  readonly interruptible: boolean;
}

/** What compiling a graph would give, found without compiling it. */
export interface ProgramPlan {
  /** Bytes that the program will hold: working memory, parameters, results, and copies of what is fed. */
  readonly memory: number;
}

/**
 * A compiled graph. Its first output is a scalar loss (a sum over the chunk); any further outputs are the gradients of
 * that loss with respect to `graph.parameters`, in order, all of them or none.
 */
export interface Program {
  /** Sets the parameter vector θ [K]; the engine keeps its own copy in its own precision. */
  load(theta: Float64Array): void;
  /**
   * Runs one chunk and returns its loss sum. Where the graph has gradients and `gradient` [K] is given, adds the chunk's
   * gradient sum to it (it is not cleared first).
   */
  run(feeds: Feeds, gradient?: Float64Array): Promise<number>;
  /**
   * The same, where since the last run, with the same θ, no feed but the graph's `varied` one has changed: what does not depend on it, such as the
   * forward pass, is not computed again. Left out: everything is run again.
   */
  rerun?(feeds: Feeds, gradient?: Float64Array): Promise<number>;
  /** Bytes that it holds until it is disposed of, as its engine's plan states them. */
  readonly memory: number;
  dispose(): Promise<void>;
}

/**
 * A graph compiled as far as threads need not do it again: may be sent to a thread, which makes a program of its own of it, by what the registry
 * has for the engine.
 */
export interface PreparedProgram {
  readonly engine: string;
  /** What the engine knows of it, structured-cloneable. */
  readonly content: unknown;
}

/** Something that compiles a graph and runs it. A program runs on one thread, so that its sums have one order. */
export interface Engine {
  /** As the registry has it, and `--engine` and the manifest name it. */
  readonly name: string;
  readonly facts: EngineFacts;
  /** Whether it can run here, and if not, why and what would help. */
  available(): Promise<Availability>;
  /** Version of what executes, for the manifest, such as `onnxruntime 1.30.0`. */
  version(): string;
  /** Whether it knows a graph, and what a program of it takes. Throws EngineError with operator and node where it cannot be lowered. */
  plan(graph: Graph): ProgramPlan;
  /**
   * Of an engine that takes another's place: why it would compute a graph just as that one does; null where it does otherwise. Left out: it
   * always does. Throws as `plan` does.
   */
  sameAsPlain?(graph: Graph): string | null;
  /** Throws EngineError where the graph cannot be lowered, as `plan` does, or compiling fails. */
  compile(graph: Graph): Promise<Program>;
  /** Compiles a graph for several threads at once. Left out: each compiles it. Throws as `compile` does. */
  prepare?(graph: Graph): Promise<PreparedProgram>;
  /** Loops over vectors that are quicker here than the plain ones. Left out: there are none. Throws EngineError where they cannot be compiled. */
  loops?(): Promise<VectorLoops>;
}
