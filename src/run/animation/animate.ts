import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import { UsageError } from '../../errors.js';
import type { ProgressSink } from '../../experiment/control.js';
import type { Animation } from '../../figures/animation/animation.js';
import type { LossLine } from '../../figures/animation/backdrop.js';
import type { VideoFormat } from '../../figures/video/encoders.js';
import type { LedgerView } from '../../ledger/view.js';
import { codeOf, storeFailure } from '../../store/files.js';
import { refuseRunFile, writeResult } from '../../store/place.js';
import type { RunFolder } from '../../store/folder.js';
import { type AnimationFrame, type FrameOptions, type Frames, framesOf, measureFrames } from './frames.js';

export interface AnimateOptions extends FrameOptions {
  /** Makes what is told how many frames were read, or written. */
  readonly progress: (label: string) => ProgressSink;
  /** Aborted: stop before the next frame; nothing is written but single PNG files. */
  readonly signal?: AbortSignal | undefined;
  /** File to write, by its ending `.mp4`, `.webm` or `.gif`; without an ending a folder for a PNG file a frame. */
  readonly out: string;
  readonly framesPerSecond: number;
  readonly size: { readonly width: number; readonly height: number };
  readonly theme: 'light' | 'dark';
  /** Name in the picture. */
  readonly title: string;
  /** Allocation of the deepest colours in the loss's unit; default: that which one in a thousand exceeds. */
  readonly largest?: number | undefined;
}

/** What was written. */
export interface AnimationFacts {
  readonly path: string;
  readonly format: VideoFormat | 'png';
  readonly frames: number;
  readonly framesPerSecond: number;
  readonly width: number;
  readonly height: number;
  readonly objective: string;
  readonly every: number;
  readonly cumulative: boolean;
  /** Allocation of the deepest colours in the loss's unit, and the share of nonzero entries beyond it. */
  readonly largest: number;
  readonly beyond: number;
  readonly unit: string;
  readonly bytes: number;
  /** Whether a file was there, which this one replaced. */
  readonly replaced: boolean;
}

/** The kind of file that a path asks for. Throws UsageError for other endings. */
export function animationFormat(path: string): VideoFormat | 'png' {
  const ending = extname(path).toLowerCase();
  if (ending === '') return 'png';
  if (ending === '.mp4' || ending === '.webm' || ending === '.gif') return ending.slice(1) as VideoFormat;
  throw new UsageError({
    given: `${basename(path)}, which ends in ${ending}`,
    expected: 'a name that ends in .mp4, .webm or .gif, or a folder for PNG files, which has no ending',
    remedy: 'choose one of these names for --out',
  });
}

/** Where frames go, one by one; `finish` gives the bytes written. */
interface Sink {
  readonly add: (frame: Uint8Array) => Promise<void>;
  readonly finish: () => Promise<number>;
}

async function videoSink(format: VideoFormat, { size, colours }: Animation, options: AnimateOptions): Promise<Sink> {
  const { videoEncoders } = await import('../../figures/video/encoders.js');
  const { framesPerSecond, out } = options;
  const encoder = await videoEncoders[format]({ ...size, framesPerSecond, colours });
  return {
    add: encoder.add,
    finish: async () => {
      const bytes = await encoder.finish();
      await writeResult(dirname(out), basename(out), bytes);
      return bytes.length;
    },
  };
} // prettier-ignore

async function pngSink({ size, colours }: Animation, frames: number, folder: string): Promise<Sink> {
  const { indexedPng } = await import('../../figures/video/png.js');
  const digits = Math.max(4, String(frames).length);
  let [count, bytes] = [0, 0];
  return {
    add: async (frame) => {
      const png = indexedPng(frame, { ...size, colours });
      bytes += png.length;
      await writeResult(folder, `frame-${String(++count).padStart(digits, '0')}.png`, png);
    },
    finish: () => Promise.resolve(bytes),
  };
}

/** Frames of two animations must not mix. Throws UsageError. */
async function requireEmpty(folder: string): Promise<void> {
  const entries = await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw storeFailure(`list ${folder}`, error);
  });
  if (entries.length === 0) return;
  throw new UsageError({
    given: `${folder}, which has ${entries.length} entries`,
    expected: 'a new or an empty folder for frames',
    remedy: 'choose another --out, or empty the folder',
  });
}

/** Losses of the objective, and of the first other one. */
function linesOf(view: LedgerView, objective: string): LossLine[] {
  const others = view.objectives.map(({ name }) => name).filter((name) => name !== objective);
  return [objective, ...others.slice(0, 1)].map((name) => ({ name, losses: [...view.column('loss', name)] }));
}

const shownOf = ({ every, cumulative }: FrameOptions, objective: string): string =>
  `allocation of the ${objective} loss to each parameter, ${cumulative ? 'running totals' : every === 1 ? 'segment by segment' : `${every} segments a frame`}`;

/** Reads all frames under a bar of its own. */
async function* follow(
  { read, count }: Frames,
  bar: ProgressSink,
  signal?: AbortSignal,
): AsyncGenerator<AnimationFrame> {
  bar.start(count);
  try {
    let done = 0;
    for await (const frame of read()) {
      signal?.throwIfAborted();
      yield frame;
      bar.update(++done);
    }
  } finally {
    bar.stop();
  }
}

/**
 * Writes an animation of all parameters (paper Figure 2). Reads the run twice: to fix the scale, and frame by frame.
 *
 * @throws UsageError where allocations were not kept by parameter, for a size that is too small, and for a folder that is not empty.
 */
export async function animateRun(run: RunFolder, options: AnimateOptions): Promise<AnimationFacts> {
  const { out, size, theme, title, framesPerSecond, every, cumulative, progress, signal } = options;
  const format = animationFormat(out);
  refuseRunFile(out);
  if (format === 'png') await requireEmpty(out);
  const view = await run.view();
  const frames = framesOf(view, options);
  const { objective, count } = frames;
  const { unit } = view;
  const { createAnimation } = await import('../../figures/animation/animation.js');
  const { largestSum, ...scale } = await measureFrames(
    follow(frames, progress('scale'), signal),
    options.largest,
  );
  const animation = createAnimation({
    size,
    theme,
    title,
    unit,
    layout: view.layout,
    exampleShape: run.manifest.definition.exampleShape ?? [],
    iteration: [...view.iteration],
    lines: linesOf(view, objective),
    shown: shownOf(options, objective),
    largest: scale.largest,
    largestSum,
  });
  const sink = format === 'png' ? await pngSink(animation, count, out) : await videoSink(format, animation, options);
  for await (const frame of follow(frames, progress('animate'), signal)) await sink.add(animation.draw(frame));
  const replaced = format !== 'png' && existsSync(out);
  const bytes = await sink.finish();
  return { path: out, format, frames: count, framesPerSecond, ...size, objective, every, cumulative, ...scale, unit, bytes, replaced };
} // prettier-ignore
