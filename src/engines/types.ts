import type { Graph } from '../graph/types.js';

/**
 * Arrays for the graph's inputs by name, row-major, of the input's dtype (`bool` as bytes). Never written to. An engine that computes
 * in float64 takes float64 for float32, unrounded; others refuse it.
 */
export type Feeds = Readonly<
  Record<string, Float32Array | Float64Array | Uint8Array | Int32Array | BigInt64Array>
>;

export type Availability =
  { readonly ok: true; readonly detail: string } | { readonly ok: false; readonly reason: string };

export interface CompileOptions {
  /** Threads that one program may use; default 1. Workers run one program each, so 1 keeps results reproducible. */
  readonly threads?: number;
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
  dispose(): Promise<void>;
}

/** Something that compiles a graph and runs it. */
export interface Engine {
  /** `reference`, `onnxruntime`, `onnxruntime-webgpu`, `native`. */
  readonly name: string;
  /** Whether it can run here, and if not, why and what would help. */
  available(): Promise<Availability>;
  /** Version of what executes, for the manifest, such as `onnxruntime 1.30.0`. */
  version(): string;
  /** Throws EngineError with operator and node where the graph cannot be lowered. */
  compile(graph: Graph, options?: CompileOptions): Promise<Program>;
}
