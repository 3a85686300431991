import type { Tensor } from './objects.js';
import type { Phase } from './schedule.js';
import type { Run } from './strips.js';

/** A piece of memory that is in use from one moment to another, both included. */
interface Lifetime {
  readonly size: number;
  readonly start: number;
  readonly end: number;
}

/** Pieces with places, by their offsets; in arrays of numbers, since programs of thousands of steps have tens of thousands. */
class Placements {
  readonly #offsets: Float64Array;
  readonly #tops: Float64Array;
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;
  #count = 0;

  /** For so many pieces at most. */
  constructor(most: number) {
    [this.#offsets, this.#tops, this.#starts, this.#ends] = [0, 1, 2, 3].map(() => new Float64Array(most)) as [Float64Array, Float64Array, Float64Array, Float64Array]; // prettier-ignore
  }

  /** Lowest offset at which a piece fits between those that live at the same time. */
  lowestGap({ size, start, end }: Lifetime): number {
    let offset = 0;
    for (let k = 0; k < this.#count; k++) {
      if (this.#starts[k]! > end || start > this.#ends[k]!) continue;
      if (offset + size <= this.#offsets[k]!) break;
      offset = Math.max(offset, this.#tops[k]!);
    }
    return offset;
  }

  /** Puts a piece among those with lower and higher offsets. */
  insert({ size, start, end }: Lifetime, offset: number): void {
    let [low, high] = [0, this.#count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#offsets[middle]! <= offset) low = middle + 1;
      else high = middle;
    }
    const columns = [[this.#offsets, offset], [this.#tops, offset + size], [this.#starts, start], [this.#ends, end]] as const; // prettier-ignore
    for (const [column, value] of columns) {
      column.copyWithin(low + 1, low, this.#count);
      column[low] = value;
    }
    this.#count++;
  }
}

/** Offsets such that pieces that live at the same time do not overlap; the largest are placed first. */
function placeLifetimes(lifetimes: readonly Lifetime[]): { offsets: number[]; size: number } {
  const offsets = new Array<number>(lifetimes.length).fill(0);
  const placed = new Placements(lifetimes.length);
  let size = 0;
  const order = lifetimes
    .map((_, index) => index)
    .sort((a, b) => lifetimes[b]!.size - lifetimes[a]!.size || a - b);
  for (const index of order) {
    const lifetime = lifetimes[index]!;
    const offset = placed.lowestGap(lifetime);
    offsets[index] = offset;
    placed.insert(lifetime, offset);
    size = Math.max(size, offset + lifetime.size);
  }
  return { offsets, size };
}

/** For how many groups of examples a tensor has room; for a strip of one where nothing outside of a run uses it. */
export type Scope = 'strip' | 'group' | 'batch' | 'chunk';

export interface TensorPlace {
  readonly scope: Scope;
  /** In vectors, from the start of the tensors. */
  readonly offset: number;
}

export interface TensorPlan {
  /** Groups that a phase takes at once, by phase. */
  readonly batchGroups: readonly number[];
  readonly places: ReadonlyMap<Tensor, TensorPlace>;
  /** Vectors between tensors that nothing may touch, where they are guarded. */
  readonly guards: readonly number[];
  /** Vectors of all tensors. */
  readonly size: number;
}

/** Bytes of a batch's tensors that should stay in the caches, and groups beyond which more bring nothing. */
const BATCH_BYTES = 8 << 20;
const MOST_GROUPS = 32;

interface Use {
  readonly phase: number;
  readonly section: number;
  readonly time: number;
  readonly run: Run;
}

/** When each moment of a phase or section starts and ends, and where tensors are used. */
interface Timeline {
  readonly uses: ReadonlyMap<Tensor, readonly Use[]>;
  readonly phases: readonly { start: number; end: number }[];
  readonly sections: readonly { start: number; end: number }[];
}

function timelineOf(phases: readonly Phase[]): Timeline {
  const uses = new Map<Tensor, Use[]>();
  const phaseSpans: { start: number; end: number }[] = [];
  const sectionSpans: { start: number; end: number }[] = [];
  let time = 0;
  phases.forEach((phase, p) => {
    const phaseStart = time;
    for (const section of phase.sections) {
      const sectionStart = time;
      for (const run of section.runs) {
        // One moment for all steps of a run: the first is not done when the last begins.
        for (const { object } of run.steps.flatMap((step) => step.arguments)) {
          if (object.kind !== 'tensor') continue;
          const use = { phase: p, section: sectionSpans.length, time, run };
          const known = uses.get(object);
          if (known) known.push(use);
          else uses.set(object, [use]);
        }
        time++;
      }
      sectionSpans.push({ start: sectionStart, end: time - 1 });
    }
    phaseSpans.push({ start: phaseStart, end: time - 1 });
  });
  return { uses, phases: phaseSpans, sections: sectionSpans };
}

/** True where one run alone uses a tensor, part by part. */
function isOfStrips(tensor: Tensor, uses: readonly Use[]): boolean {
  const { run } = uses[0]!;
  if (run.parts === 1 || tensor.elements % run.parts !== 0 || uses.some((use) => use.run !== run))
    return false;
  return !run.steps.some(({ split }) => split!.whole.has(tensor));
}

/** Vectors of a tensor that the longest strip of its run takes. */
function stripVectors({ elements }: Tensor, { parts, bounds }: Run): number {
  const longest = Math.max(...bounds.slice(1).map((end, k) => end - bounds[k]!));
  return (elements / parts) * longest;
}

function scopeOf(tensor: Tensor, uses: readonly Use[], rates: readonly string[]): Scope {
  const [first] = uses;
  if (isOfStrips(tensor, uses)) return 'strip';
  if (uses.some((use) => use.phase !== first!.phase)) return 'chunk';
  const isLocal = uses.every((use) => use.section === first!.section);
  return isLocal && rates[first!.section] === 'group' ? 'group' : 'batch';
}

/**
 * What is used in several phases lives from the start of the first to the end of the last, because a phase's loop runs
 * over all groups; likewise what is used in several sections. Only what stays inside one section lives step by step.
 */
function span(uses: readonly Use[], scope: Scope, timeline: Timeline): { start: number; end: number } {
  const first = uses[0]!;
  const last = uses.at(-1)!;
  if (scope === 'chunk') {
    return { start: timeline.phases[first.phase]!.start, end: timeline.phases[last.phase]!.end };
  }
  if (scope === 'batch') {
    return { start: timeline.sections[first.section]!.start, end: timeline.sections[last.section]!.end };
  }
  return { start: first.time, end: last.time };
}

/** Groups at once: as many as keep a phase's tensors in the caches, in batches of equal size. */
function batchGroups(vectorsPerGroup: number, groups: number, vectorBytes: number): number {
  const fitting = Math.floor(BATCH_BYTES / Math.max(1, vectorsPerGroup * vectorBytes));
  const most = Math.max(1, Math.min(MOST_GROUPS, fitting));
  return Math.ceil(groups / Math.ceil(groups / most));
}

/**
 * Gives every tensor a place, for a chunk of `groups` groups; those that are `kept` have one of their own to the end, and for the whole chunk. With `isGuarded` no two share memory, and one vector that
 * belongs to nobody follows each, so that a tool can notice an access beyond it.
 */
export function planTensors(
  phases: readonly Phase[],
  groups: number,
  vectorBytes: number,
  isGuarded = false,
  kept: ReadonlySet<Tensor> = new Set(),
): TensorPlan {
  const timeline = timelineOf(phases);
  const rates = phases.flatMap((phase) => phase.sections.map((section) => section.rate));
  const tensors = [...timeline.uses].map(([tensor, uses]) => {
    const usual = scopeOf(tensor, uses, rates);
    const scope: Scope = kept.has(tensor) ? 'chunk' : usual;
    const { start, end } = span(uses, scope, timeline);
    return { tensor, uses, usual, scope, start, end: kept.has(tensor) ? Infinity : end };
  });
  const perPhase = phases.map((_, p) => {
    // As many groups at once with kept tensors as without: the order of sums depends on it.
    const own = tensors.filter(({ usual, uses }) => usual === 'batch' && uses[0]!.phase === p);
    const perGroup = placeLifetimes(
      own.map(({ tensor, uses }) => ({ size: tensor.stride, ...span(uses, 'batch', timeline) })),
    );
    return batchGroups(perGroup.size, groups, vectorBytes);
  });
  const lifetimes: Lifetime[] = tensors.map(({ tensor, uses, scope, start, end }) => {
    const copies = { group: 1, batch: perPhase[uses[0]!.phase]!, chunk: groups };
    const size = scope === 'strip' ? stripVectors(tensor, uses[0]!.run) : tensor.stride * copies[scope];
    return isGuarded ? { size: size + 1, start: 0, end: Infinity } : { size, start, end };
  });
  const isStrip = tensors.map(({ scope }) => scope === 'strip');
  const rest = placeLifetimes(lifetimes.filter((_, index) => !isStrip[index]));
  const strips = placeLifetimes(lifetimes.filter((_, index) => isStrip[index]));
  // So far behind the start that where a whole tensor would begin, of which a strip is there, lies in the same memory.
  const start = Math.max(rest.size, ...tensors.filter((_, index) => isStrip[index]).map(({ tensor }) => tensor.elements)); // prettier-ignore
  const [placed, ofStrips] = [rest.offsets.values(), strips.offsets.values()];
  const offsets = isStrip.map((own) => (own ? start + ofStrips.next().value! : placed.next().value!));
  const size = strips.size > 0 ? start + strips.size : rest.size;
  const places = new Map(
    tensors.map(({ tensor, scope }, index) => [tensor, { scope, offset: offsets[index]! }]),
  );
  const guards = isGuarded ? lifetimes.map((piece, index) => offsets[index]! + piece.size - 1) : [];
  return { batchGroups: perPhase, places, guards, size };
}
