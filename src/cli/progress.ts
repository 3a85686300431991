import { SingleBar } from 'cli-progress';
import type { ProgressSink } from '../experiment/control.js';

const silent: ProgressSink = {
  start: () => undefined,
  update: () => undefined,
  stop: () => undefined,
};

/** A bar on standard error with rate and time left; two plain lines where that is no terminal; nothing where quiet. */
export function progressBar(label: string, unit: string, quiet = false): ProgressSink {
  if (quiet) return silent;
  if (!process.stderr.isTTY) return plainProgress(label, unit);
  let started = 0;
  let first = 0;
  const bar = new SingleBar({
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: false,
    etaBuffer: 20,
    format: `${label.padEnd(9)} {bar} {percentage}%  {value}/{total} ${unit}  {rate}  {left}  {note}`,
  });
  const facts = (done: number, total: number, note = '') => {
    const seconds = (performance.now() - started) / 1000;
    const rate = (done - first) / seconds;
    const known = done > first && seconds > 0.5;
    return {
      rate: known ? `${rate >= 10 ? rate.toFixed(0) : rate.toFixed(2)}/s` : '',
      left: known ? `${duration((total - done) / rate)} left` : '',
      note,
    };
  };
  return {
    start(total, done = 0) {
      started = performance.now();
      first = done;
      bar.start(total, done, facts(done, total));
    },
    update(done, note) {
      bar.update(done, facts(done, bar.getTotal(), note));
    },
    stop() {
      bar.stop();
    },
  };
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
