import { requireNumber } from './settings.js';

/** Factor on every learning rate over the iterations, numbered from 0. */
export type Schedule = (
  | { readonly kind: 'constant' }
  /** Multiplied by `factor` after every `every` iterations. */
  | { readonly kind: 'step'; readonly every: number; readonly factor: number }
  /** A straight line from 1 to `floor` (default 0) over `iterations`, then constant. */
  | { readonly kind: 'linear'; readonly iterations: number; readonly floor?: number }
  /** Half a cosine from 1 to `floor` (default 0) over `iterations`, then constant (Loshchilov and Hutter 2017). */
  | { readonly kind: 'cosine'; readonly iterations: number; readonly floor?: number }
) & {
  /** Iterations of linear growth (1/w, 2/w, … 1) before the above begins; default 0. */
  readonly warmUp?: number;
};

/** Throws UsageError where a number of the schedule is out of range. */
export function checkSchedule(schedule: Schedule): void {
  requireNumber('schedule.warmUp', schedule.warmUp ?? 0, { min: 0, whole: true });
  if (schedule.kind === 'step') {
    requireNumber('schedule.every', schedule.every, { min: 1, whole: true });
    requireNumber('schedule.factor', schedule.factor, { above: 0 });
  } else if (schedule.kind !== 'constant') {
    requireNumber('schedule.iterations', schedule.iterations, { min: 1, whole: true });
    requireNumber('schedule.floor', schedule.floor ?? 0, { min: 0, max: 1 });
  }
}

/** The factor at a zero-based iteration. */
export function scheduleFactor(schedule: Schedule, iteration: number): number {
  const warmUp = schedule.warmUp ?? 0;
  return iteration < warmUp ? (iteration + 1) / warmUp : decayFactor(schedule, iteration - warmUp);
}

function decayFactor(schedule: Schedule, iteration: number): number {
  switch (schedule.kind) {
    case 'constant':
      return 1;
    case 'step':
      return schedule.factor ** Math.floor(iteration / schedule.every);
    case 'linear':
    case 'cosine': {
      const floor = schedule.floor ?? 0;
      const progress = Math.min(1, iteration / schedule.iterations);
      const left = schedule.kind === 'linear' ? 1 - progress : 0.5 * (1 + Math.cos(Math.PI * progress));
      return floor + (1 - floor) * left;
    }
  }
}
