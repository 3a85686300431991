import { SingleBar } from 'cli-progress';
import type { ProgressSink } from '../experiment/control.js';
import { isScreen } from './output.js';

const silent: ProgressSink = {
  start: () => undefined,
  update: () => undefined,
  stop: () => undefined,
};

/** A bar on standard error with rate and time left; two plain lines where that is no terminal; nothing where quiet. */
export function progressBar(label: string, unit: string, quiet = false): ProgressSink {
  if (quiet) return silent;
  if (!isScreen(process.stderr)) return plainProgress(label, unit);
  let started = 0;
  let first = 0;
  let note = '';
  const bar = new SingleBar({
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: false,
    format: (_, { value, total }) =>
      progressLine(process.stderr.columns, {
        label, unit, value, total, note, first, seconds: (performance.now() - started) / 1000,
      }), // prettier-ignore
  });
  const redraw = redrawOnResize(() => {
    bar.render();
  });
  return {
    start(total, done = 0) {
      started = performance.now();
      first = done;
      redraw.begin();
      bar.start(total, done);
    },
    update(done, text = '') {
      note = text;
      bar.update(done);
    },
    stop() {
      bar.stop();
      redraw.end();
    },
  };
}

/**
 * A sink that shows nothing until something else has ended, whose own bar it would overwrite, and then what is left; nothing at all where that fails.
 * Null: it shows all.
 */
export function barAfter(other: Promise<unknown> | null, bar: ProgressSink): ProgressSink {
  if (other === null) return bar;
  let begun: { readonly total: number; done: number; note: string | undefined } | null = null;
  let isShown = false;
  const show = (): void => {
    if (begun === null || isShown || begun.done === begun.total) return;
    isShown = true;
    bar.start(begun.total, begun.done);
    if (begun.note !== undefined) bar.update(begun.done, begun.note);
  };
  let isOver = false;
  const end = (): void => {
    isOver = true;
    show();
  };
  other.then(end, () => undefined);
  return {
    start(total, done = 0) {
      begun = { total, done, note: undefined };
      if (isOver) show();
    },
    update(done, note) {
      if (begun !== null) Object.assign(begun, { done, note });
      if (isShown) bar.update(done, note);
    },
    stop() {
      begun = null;
      if (isShown) bar.stop();
    },
  };
}

/** Draws anew when the terminal's width changes: first it clears the rows that the old line takes at the new width. */
function redrawOnResize(draw: () => void): { begin: () => void; end: () => void } {
  let width = process.stderr.columns;
  const onResize = () => {
    const rows = Math.ceil(width / process.stderr.columns) - 1;
    process.stderr.write(`\r${rows > 0 ? `\x1b[${rows}A` : ''}\x1b[J`);
    width = process.stderr.columns;
    draw();
  };
  return {
    begin() {
      width = process.stderr.columns;
      process.stderr.on('resize', onResize);
    },
    end() {
      process.stderr.off('resize', onResize);
    },
  };
}

/** What a progress line tells. */
export interface ProgressFacts {
  readonly label: string;
  readonly unit: string;
  readonly value: number;
  readonly total: number;
  readonly note: string;
  /** What was done already at the start, and seconds since then. */
  readonly first: number;
  readonly seconds: number;
}

const barWidth = { least: 5, most: 40 } as const;

/** A line shorter than `width` columns: label, bar, and of the rest, the most telling first, what there is room for. */
export function progressLine(width: number, facts: ProgressFacts): string {
  const { label, unit, value, total, note, first, seconds } = facts;
  const share = total > 0 ? Math.min(1, value / total) : 1;
  const rate = (value - first) / seconds;
  const known = value > first && seconds > 0.5;
  const wanted = [
    `${Math.floor(100 * share)}%`.padStart(4),
    known ? `${duration((total - value) / rate)} left` : '',
    `${value}/${total} ${unit}`,
    known ? `${rate >= 10 ? rate.toFixed(0) : rate.toFixed(2)}/s` : '',
    note,
  ].filter((text) => text !== '');
  const name = label.padEnd(9);
  const room = (texts: readonly string[]) => width - 2 - name.length - texts.join('  ').length - 2;
  while (wanted.length > 1 && room(wanted) < barWidth.least) wanted.pop();
  const length = Math.max(0, Math.min(barWidth.most, room(wanted)));
  const filled = Math.round(length * share);
  return `${name} ${'█'.repeat(filled)}${'░'.repeat(length - filled)} ${wanted.join('  ')}`;
}

/** Where nobody watches a terminal: one line at the start and one at the end. */
function plainProgress(label: string, unit: string): ProgressSink {
  let total = 0;
  let done = 0;
  let started = 0;
  return {
    start(all, from = 0) {
      total = all;
      done = from;
      started = performance.now();
      process.stderr.write(`${label}: ${total} ${unit}${from > 0 ? `, ${from} already done` : ''}\n`);
    },
    update(now) {
      done = now;
    },
    stop() {
      const seconds = (performance.now() - started) / 1000;
      process.stderr.write(`${label}: ${done}/${total} ${unit} in ${duration(seconds)}\n`);
    },
  };
}

/** Seconds as `3.2 s`, `4 min 05 s`, `2 h 10 min` or `3 d 4 h`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

/** Bytes as `3.4 MB`, powers of 1000. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(count, 1)) / 3)));
  const value = count / 1000 ** power;
  return `${power === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[power]!}`;
}
