import type { MemoryLayout } from '../plan/memory.js';
import { HUGE_PAGE, planModule } from '../plan/memory.js';
import { lossSteps } from '../plan/loss.js';
import type { Sums } from '../plan/objects.js';
import type { Phase } from '../plan/schedule.js';
import type { Run } from '../plan/strips.js';
import type { GraphSteps, Step } from '../plan/step.js';
import type { Target } from '../toolchain/target.js';
import { Calls, clock, Functions, once, whole } from './calls.js';
import type { Position } from './calls.js';
import { prelude } from './prelude.js';
import { doubleLiteral, formatC } from './text.js';

/** A complete C file, and what the caller must know of it. */
export interface GeneratedModule {
  readonly source: string;
  /** Calls in the order of the profile's times, where times are taken: those of a run with a gradient, each once. */
  readonly calls: readonly Step[];
  /** Bytes of memory that a program allocates. */
  readonly memory: number;
}

/**
 * Calls of a function beyond which compilers are told not to optimise it: it has nothing but calls, and they would take longer for that than for
 * all kernels together (46 of 60 seconds, of a recurrent network over 512 steps).
 */
const MOST_OPTIMISED = 2000;

const overGroups = (code: string): string => `for (long g = 0; g < n; g++) {\n${code}\n}`;

/** The steps of a run; where it has strips, strip by strip of one group after the other. */
function runCode({ steps, parts, bounds }: Run, isPerGroup: boolean, calls: Calls): string {
  const ofGroup = { inChunk: 'b + g', inBatch: 'g', count: '1', ...whole };
  if (parts === 1) {
    const position: Position = isPerGroup ? ofGroup : { inChunk: 'b', inBatch: '0', count: 'n', ...whole };
    return steps.map((step) => calls.code(step, position)).join('\n');
  }
  const strips = `static const long bounds[] = {${bounds.join(', ')}};`;
  const code = calls.stripCode(
    steps,
    { ...ofGroup, low: 'bounds[s]', high: 'bounds[s + 1]', parts },
    (all) => `for (int s = 0; s < ${bounds.length - 1}; s++) {\n${all}\n}`,
  );
  return `{ ${strips}\n${isPerGroup ? code : overGroups(code)}\n}`;
}

function phaseCode(phase: Phase, index: number, groups: number, calls: Calls): string {
  const atOnce = calls.layout.plan.batchGroups[index]!;
  const sections = phase.sections.map(({ rate, runs }) => {
    const isPerGroup = rate === 'group';
    const code = runs.map((run) => runCode(run, isPerGroup, calls)).join('\n');
    return isPerGroup ? overGroups(code) : code;
  });
  const closing = phase.closing.map((step) => calls.code(step, once)).join('\n');
  const loop = `for (long b = 0; b < ${groups}; b += ${atOnce}) {
      const long n = smaller(${atOnce}, ${groups} - b);
      ${sections.join('\n')}
    }`;
  return `/* phase ${index} */\n${sections.length > 0 ? loop : ''}\n${closing}`;
}

const poison = `
#include <sanitizer/asan_interface.h>
#define GUARD(start, bytes) ASAN_POISON_MEMORY_REGION(start, bytes)`;

/**
 * Writes the C file of a lowered graph; with `isProfiled`, one that takes the time of each kernel; with `isGuarded`, one in
 * which the address sanitizer notices accesses between the parts of a program's memory.
 */
export function generateModule(
  lowered: GraphSteps,
  target: Target,
  isProfiled = false,
  isGuarded = false,
): GeneratedModule {
  const { groups, phases, layout, again } = planModule(lowered, target, isGuarded);
  const functions = new Functions();
  const calls = new Calls(functions, layout, isProfiled);
  /** What runs for the loss alone, or again, does the same work in part: its time would count for work that no gradient waits for. */
  const untimed = new Calls(functions, layout, false);
  const codes = (steps: readonly Step[]): string => steps.map((step) => calls.code(step, once)).join('\n');
  const load = codes(lowered.loadSteps);
  const gradient = codes(lowered.gradientSteps);
  const feeds = lowered.feeds.map((_, index) => `, const void *x${index}`).join('');
  const lossCode = `*(double *)(memory + ${layout.offset(lowered.loss.sums)}) * ${doubleLiteral(lowered.loss.factor)}`;
  const forLoss = lossSteps(lowered);
  const passes = (own: ReadonlySet<Step>, cleared: string, by: Calls): string =>
    [cleared, ...phases.map((phase, index) => phaseCode(partOf(phase, own), index, groups, by))].join('\n');
  const body = (own: ReadonlySet<Step>, cleared: string, by: Calls): string => {
    const alone = new Set([...own].filter((step) => forLoss.has(step)));
    return `{
  v *const tensors = (v *)(memory + ${layout.tensors});
  ${lowered.usesMatrixUnit ? 'tiles_begin();' : ''}
  ${
    alone.size === own.size
      ? passes(own, cleared, by)
      : `if (gradient) {
    ${passes(own, cleared, by)}
  } else {
    ${passes(alone, cleared, untimed)}
  }`
  }
  if (gradient) {
    ${gradient}
  }
  ${lowered.usesMatrixUnit ? 'tiles_end();' : ''}
  return ${lossCode};
}`;
  };
  const run = body(new Set(lowered.steps), clearing(layout), calls);
  const rerun = again && body(again.steps, clearEach(layout, layout.sums.filter((sums) => again.written.has(sums))), untimed); // prettier-ignore
  const kind = lowered.steps.length > MOST_OPTIMISED ? 'UNOPTIMISED EXPORT' : 'EXPORT';
  const source = `${prelude(lowered.usesMatrixUnit ? target : { ...target, matrixUnit: null })}
${isProfiled ? clock : ''}
${isGuarded ? poison : ''}
${functions.texts.join('\n\n')}

/* allocates a program's memory; null where there is not enough */
EXPORT char *lossledger_create(void) {
  ${lowered.usesMatrixUnit ? 'if (!tiles_granted()) return 0;' : ''}
  ${creation(layout, lowered.examples, groups)}
}

EXPORT void lossledger_destroy(char *memory) { free(memory); }

/* sets the parameters */
EXPORT void lossledger_load(char *memory, const double *theta, const double *constants) {
  ${load}
}

/* returns the loss sum of one chunk; adds to gradient where it is not null, and else does what the loss alone needs */
${kind} double lossledger_run(char *memory, double *gradient${feeds}) ${run}
${
  rerun === null
    ? ''
    : `
/* the same, where since the last run, which had a gradient if this one has, nothing but the examples that count has changed */
${kind} double lossledger_again(char *memory, double *gradient${feeds}) ${rerun}
`
}`;
  return { source: formatC(source), calls: calls.steps, memory: layout.bytes };
}

/** Sets all sums to 0: at once, unless guards lie between them. */
function clearing(layout: MemoryLayout): string {
  const clear = (start: number, bytes: number): string => `memset(memory + ${start}, 0, ${bytes});`;
  if (!layout.isGuarded) return clear(layout.sumsStart, layout.sumsEnd - layout.sumsStart);
  return clearEach(layout, layout.sums);
}

function clearEach(layout: MemoryLayout, all: readonly Sums[]): string {
  return all.map((sums) => `memset(memory + ${layout.offset(sums)}, 0, ${8 * sums.length});`).join('\n');
}

/** What of a phase belongs to some steps. */
function partOf({ sections, closing }: Phase, own: ReadonlySet<Step>): Phase {
  const among = (all: readonly Step[]): Step[] => all.filter((step) => own.has(step));
  const ofRun = (run: Run): Run => ({ ...run, steps: among(run.steps) });
  return {
    sections: sections.map(({ rate, runs }) => ({
      rate,
      runs: runs.map(ofRun).filter(({ steps }) => steps.length > 0),
    })),
    closing: among(closing),
  };
}

function creation(layout: MemoryLayout, examples: number, groups: number): string {
  const { bytes } = layout;
  return `char *memory = aligned_alloc(${HUGE_PAGE}, ${bytes}L);
    if (!memory) return 0;
    #ifdef MADV_HUGEPAGE
    madvise(memory, ${bytes}L, MADV_HUGEPAGE);
    #endif
    for (long n = 0; n < ${groups} * LANES; n++) {
      ((float *)(memory + ${layout.masks}))[n] = n < ${examples} ? 1.0f : 0.0f;
    }
    ${layout.guards.map(([offset, bytes]) => `GUARD(memory + ${offset}, ${bytes});`).join('\n')}
    return memory;`;
}
