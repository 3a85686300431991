/** Receives how far a piece of work has come. */
export interface ProgressSink {
  start(total: number, done?: number): void;
  update(done: number, note?: string): void;
  stop(): void;
}

/** How a caller watches and stops a long piece of work. */
export interface WorkControl {
  readonly progress: ProgressSink;
  /** Aborted: stop at the next safe point. */
  readonly signal?: AbortSignal | undefined;
}
