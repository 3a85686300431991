import {
  type ListedRun,
  listRuns,
  loadRun,
  type ObjectiveData,
  refreshRun,
  type RunData,
} from '../data/load';
import { stepWord } from '../data/segments';
import { onAddress, readAddress, usual, writeAddress } from './address';
import type { ScaleKind } from '../draw/colours';
import type { Focus, Mode, Pin, Sorting, ViewName } from './names';

const pollMilliseconds = 1500;
export const speeds = [1, 5, 10, 30, 100, 300] as const;

/** All that the panels share: runs, what is looked at, and the one time cursor. */
class Session {
  listed = $state.raw<readonly ListedRun[]>([]);
  /** By their place in the list; an Error where one cannot be read. */
  runs = $state.raw<ReadonlyMap<number, RunData | Error>>(new Map());
  problem = $state.raw<Error | null>(null);
  /** Whether this is a place without runs: then there is the playground only. */
  isBare = $state(false);
  chosen = $state(0);
  view = $state<ViewName>('overview');
  objectiveName = $state('');
  /** Segment at the cursor. */
  t = $state(0);
  mode = $state<Mode>('cumulative');
  /** Segments [from, to) of the window. */
  window = $state.raw<readonly [number, number]>([0, 1]);
  playing = $state(false);
  speed = $state<number>(30);
  pins = $state.raw<readonly Pin[]>([]);
  /** Filter of the ledger book. */
  search = $state('');
  entity = $state('layer');
  sorting = $state<Sorting>('total');
  isTurned = $state(false);
  /** What the microscope has in its middle; null: the whole network is seen. */
  focus = $state.raw<Focus | null>(null);
  scale = $state<ScaleKind>('root');
  /** Where a pixel covers many values, whether the strongest is shown instead of their mean. */
  strongest = $state(false);
  /** Range of the microscope's colours; null: it follows what is shown. */
  fixed = $state<number | null>(null);
  theme = $state<'auto' | 'light' | 'dark'>('auto');
  /** Segments per second that a run in progress gains; null: not known. */
  pace = $state<number | null>(null);
  #followsEnd = true;
  #poll: ReturnType<typeof setTimeout> | null = null;

  get current(): RunData | Error | null {
    return this.runs.get(this.chosen) ?? null;
  }

  get run(): RunData | null {
    return this.current instanceof Error ? null : this.current;
  }

  get objective(): ObjectiveData | null {
    const { run } = this;
    return run?.objectives.find(({ name }) => name === this.objectiveName) ?? run?.objectives[0] ?? null;
  }

  get segments(): number {
    return this.run?.segments ?? 0;
  }

  /** What a segment of the run is called. */
  get step(): 'iteration' | 'segment' {
    return stepWord(this.run?.view.iteration ?? []);
  }

  /** Iterations of an epoch; null: not known, or there is no whole one. */
  get perEpoch(): number | null {
    const { trajectory, definition } = this.run?.manifest ?? {};
    const examples = definition?.counts['train'];
    if (!trajectory?.batchSize || trajectory.iteration !== null || !examples) return null;
    const found = Math.floor(examples / trajectory.batchSize);
    return found > 0 && found < trajectory.iterations ? found : null;
  }

  /** Moves to where the next epoch begins, or, back, this one or the one before. */
  stepEpoch(isBack: boolean): void {
    const { perEpoch } = this;
    if (perEpoch === null) return;
    const epoch = isBack ? Math.ceil(this.t / perEpoch) - 1 : Math.floor(this.t / perEpoch) + 1;
    this.moveTo(epoch * perEpoch);
  }

  /** Segments [from, to) that the mode adds up. */
  get range(): readonly [from: number, to: number] {
    const last = this.segments;
    const clamp = (t: number) => Math.max(0, Math.min(last, t));
    if (this.mode === 'instant') return [clamp(this.t), clamp(this.t + 1)];
    if (this.mode === 'window') return [clamp(this.window[0]), clamp(this.window[1])];
    return [0, clamp(this.t + 1)];
  }

  async start(): Promise<void> {
    try {
      this.listed = await listRuns();
      if (this.listed.length === 0) {
        [this.view, this.isBare] = ['playground', true];
        return;
      }
      this.#follow();
      onAddress(() => this.#follow());
    } catch (error) {
      this.problem = asError(error);
    }
  }

  /** Shows what the address says. */
  #follow(): void {
    const asked = readAddress();
    const chosen = Math.min(asked.chosen ?? 0, this.listed.length - 1);
    Object.assign(this, usual, asked, { chosen, playing: false });
    this.#show(() => this.moveTo(asked.t ?? this.segments - 1));
  }

  choose(index: number): void {
    this.chosen = index;
    [this.pins, this.focus] = [[], null];
    this.remember();
    this.#show(() => this.moveTo(this.t, false));
  }

  /** What is left to do when the chosen run is read; null: it is shown. */
  #goToTime: (() => void) | null = null;

  #show(goToTime: () => void): void {
    this.#goToTime = goToTime;
    if (this.runs.has(this.chosen)) this.#settle();
    else {
      this.#schedule();
      void this.open(this.chosen);
    }
  }

  #settle(): void {
    this.#leaveEmptyWindow();
    this.#goToTime?.();
    this.#goToTime = null;
    this.#schedule();
  }

  readonly #opened = new Set<number>();

  /** Reads a run unless it was, or is being read. */
  async open(index: number): Promise<void> {
    const listed = this.listed[index];
    if (listed === undefined || this.#opened.has(index)) return;
    this.#opened.add(index);
    const run = await loadRun(listed).catch(asError);
    this.runs = new Map([...this.runs, [index, run]]);
    if (index === this.chosen) this.#settle();
  }

  /** A window that begins behind the end of a run, as that of a longer one, holds nothing. */
  #leaveEmptyWindow(): void {
    if (this.window[0] >= this.segments) [this.window, this.mode] = [usual.window, usual.mode];
  }

  moveTo(t: number, byHand = true): void {
    const last = Math.max(0, this.segments - 1);
    this.t = Math.max(0, Math.min(last, Math.round(t)));
    if (byHand) this.#followsEnd = this.t === last;
  }

  /** Sets the window and looks at it. */
  brush(a: number, b: number): void {
    const [from, to] = a <= b ? [a, b] : [b, a];
    const last = this.segments;
    this.window = [
      Math.max(0, Math.min(last - 1, Math.round(from))),
      Math.max(1, Math.min(last, Math.round(to) + 1)),
    ];
    this.mode = 'window';
  }

  togglePin(pin: Pin): void {
    const others = this.pins.filter(({ kind, index }) => kind !== pin.kind || index !== pin.index);
    this.pins = others.length < this.pins.length ? others : [...this.pins, pin].slice(-8);
  }

  /** What the address says of the page; written when anything of it changes. */
  remember(): void {
    const { chosen, view, objectiveName, t, mode, window, pins, search, entity } = this;
    const { sorting, isTurned, focus, scale, strongest, fixed } = this;
    const isEnd = t === this.segments - 1;
    writeAddress({
      chosen,
      view,
      objectiveName,
      mode,
      window,
      pins,
      search,
      entity,
      sorting,
      isTurned,
      focus,
      scale,
      strongest,
      fixed,
      ...(isEnd ? {} : { t }),
    });
  }

  /** Looks again whether a run in progress has more. */
  #schedule(): void {
    if (this.#poll !== null) clearTimeout(this.#poll);
    this.#poll = null;
    const { current } = this;
    if (
      current === null ||
      (!(current instanceof Error) && (current.status.sealed || current.leftOut !== null))
    )
      return;
    this.#poll = setTimeout(() => void this.#look(), pollMilliseconds);
  }

  async #look(): Promise<void> {
    const { chosen, current } = this;
    const began = performance.now();
    const next = await this.#next(chosen, current);
    if (next !== null && this.chosen === chosen) {
      const before = this.segments;
      this.runs = new Map([...this.runs, [chosen, next]]);
      if (this.#followsEnd) this.moveTo(this.segments - 1, false);
      const gained = this.segments - before;
      if (gained > 0) this.#measurePace(gained, began);
    }
    this.#schedule();
  }

  #lastGain: number | null = null;

  #measurePace(gained: number, now: number): void {
    if (this.#lastGain !== null) {
      const pace = (1000 * gained) / (now - this.#lastGain);
      this.pace = this.pace === null ? pace : 0.7 * this.pace + 0.3 * pace;
    }
    this.#lastGain = now;
  }

  /** A run in progress read on; one that could not be read, or was lost, is tried again from its start. */
  async #next(index: number, current: RunData | Error | null): Promise<RunData | Error | null> {
    try {
      if (current !== null && !(current instanceof Error)) return await refreshRun(current);
      return await loadRun(this.listed[index]!);
    } catch (error) {
      // The server may be started again: what was shown stays.
      if (error instanceof TypeError) return null;
      return current instanceof Error && current.message === asError(error).message ? null : asError(error);
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

export const session = new Session();
