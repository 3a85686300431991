import { constants } from 'node:os';

/** Why work stopped: the user, or the system, asked for it. */
export class Interruption extends Error {
  override readonly name = 'AbortError';
  /** 130 after Ctrl-C, 143 after SIGTERM, as a shell reports them. */
  readonly exitCode: number;

  constructor(readonly signal: NodeJS.Signals) {
    super(`stopped by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** The first Ctrl-C stops at the next safe point; a second one at once, which is safe too (docs/FORMAT.md). */
export function stopOnInterrupt(): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    controller.abort(new Interruption(signal));
    release();
  };
  const release = () => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return { signal: controller.signal, release };
}
