import { afterFrame } from '../data/early';
import type * as Plot from '../draw/plot';

export type PlotLibrary = typeof Plot;

/** The library that charts are drawn by, once it is there; the figures above them do not wait for it. */
class Charts {
  library = $state.raw<PlotLibrary | null>(null);
  problem = $state('');

  #asked = false;

  /** Begins, once; figures are painted first. */
  load(): void {
    if (this.#asked) return;
    this.#asked = true;
    afterFrame().then(() => import('../draw/plot')).then(
      (library) => { this.library = library; },
      (error: unknown) => { this.problem = `Charts cannot be drawn: ${error instanceof Error ? error.message : String(error)}`; },
    ); // prettier-ignore
  }
}

export const charts = new Charts();
