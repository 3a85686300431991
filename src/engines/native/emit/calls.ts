import type { MemoryLayout } from '../plan/memory.js';
import type { StoredObject } from '../plan/objects.js';
import type { Step } from '../plan/step.js';

/** C code of the clocks of a file that takes the time of its kernels. */
export const clock = `
#include <time.h>
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
static double wall(void) {
#ifdef __x86_64__
  return (double)__builtin_ia32_rdtsc();
#else
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
#endif
}
static double spent[10000], laps[10000];
static double lap(int call, double last) { const double time = wall(); laps[call] += time - last; return time; }
/* processor time of calls that were made by turns, divided as their laps */
static void divide(double seconds, int first, int count) {
  double all = 0;
  for (int k = first; k < first + count; k++) all += laps[k];
  for (int k = first; k < first + count; k++) { if (all > 0) spent[k] += seconds * laps[k] / all; laps[k] = 0; }
}
/* seconds spent in each call since the last time */
EXPORT void lossledger_profile(double *seconds, long count) {
  memcpy(seconds, spent, sizeof(double) * (size_t)count);
  memset(spent, 0, sizeof spent);
}`;

/** Functions of all steps, each text once, with the names that calls use. */
export class Functions {
  readonly #names = new Map<string, string>();
  readonly texts: string[] = [];

  name(step: Step): string {
    const { label, parameters, body } = step.function;
    const head =
      step.rate === 'once' ? '' : `long groups, long first, ${step.split ? 'long low, long high, ' : ''}`;
    const text = `(${head}${parameters}) {\n${body}\n}`;
    const key = `${label}${text}`;
    const known = this.#names.get(key);
    if (known) return known;
    const name = `${label}_${this.#names.size}`;
    this.#names.set(key, name);
    this.texts.push(`static NOINLINE void ${name}${text}`);
    return name;
  }
}

/** Where the loops over groups stand when a call is made. */
export interface Position {
  /** C expression of the first group's number within the chunk, and within the batch. */
  readonly inChunk: string;
  readonly inBatch: string;
  readonly count: string;
  /** C expressions of the first of an example's parts, and of the one behind the last, of how many. */
  readonly low: string;
  readonly high: string;
  readonly parts: number;
}

/** All of an example. */
export const whole = { low: '0', high: '1', parts: 1 };
/** Of what takes the whole chunk. */
export const once: Position = { inChunk: '0', inBatch: '0', count: '1', ...whole };

function argumentCode(object: StoredObject, layout: MemoryLayout, position: Position): string {
  switch (object.kind) {
    case 'tensor': {
      const place = layout.plan.places.get(object)!;
      const start = `tensors + ${place.offset}`;
      // Kernels count from the first element of an example; of a tensor that nothing else uses there is but a strip.
      if (place.scope === 'strip') return `${start} - ${position.low} * ${object.elements / position.parts}L`;
      const group = { chunk: position.inChunk, batch: position.inBatch, group: '0' }[place.scope];
      return group === '0' ? start : `${start} + (${group}) * ${object.stride}L`;
    }
    case 'table':
      return `(float *)(memory + ${layout.offset(object)})`;
    case 'sums':
      return `(double *)(memory + ${layout.offset(object)})`;
    case 'scratch':
      return `(v *)(memory + ${layout.scratch})`;
    case 'mask':
      return `(v *)(memory + ${layout.masks}) + ${position.inChunk}`;
    case 'feed':
      return `x${object.index}`;
    case 'numbers':
      if (object.source !== 'derived') return `${object.source} + ${object.offset}`;
      return `(double *)(memory + ${layout.derived}) + ${object.offset}`;
    case 'gradient':
      return `gradient + ${object.offset}`;
  }
}

/** Writes calls, with a clock around each where the time of kernels is wanted. */
export class Calls {
  readonly steps: Step[] = [];

  constructor(
    readonly functions: Functions,
    readonly layout: MemoryLayout,
    readonly isProfiled: boolean,
  ) {}

  code(step: Step, position: Position): string {
    const text = call(step, this.functions, this.layout, position);
    if (!this.isProfiled) return text;
    this.steps.push(step);
    return `{ const double start = now(); ${text} spent[${this.steps.length - 1}] += now() - start; }`;
  }

  /** Calls within a loop over strips, which take too little time to ask for that of the processor: it is divided by the clock on the wall. */
  stripCode(steps: readonly Step[], position: Position, loop: (calls: string) => string): string {
    const first = this.steps.length;
    const all = steps.map((step, k) => {
      const text = call(step, this.functions, this.layout, position);
      return this.isProfiled ? `${text} last = lap(${first + k}, last);` : text;
    });
    if (!this.isProfiled) return loop(all.join('\n'));
    this.steps.push(...steps);
    return `{ const double start = now(); double last = wall();
      ${loop(all.join('\n'))}
      divide(now() - start, ${first}, ${steps.length}); }`;
  }
}

function call(step: Step, functions: Functions, layout: MemoryLayout, position: Position): string {
  const args = step.arguments.map(({ object }) => argumentCode(object, layout, position));
  const head = step.rate === 'once' ? [] : [position.count, position.inChunk];
  if (step.split) {
    const unit = step.split.parts / position.parts;
    head.push(`${position.low} * ${unit}L`, `${position.high} * ${unit}L`);
  }
  return `${functions.name(step)}(${[...head, ...args].join(', ')});`;
}
