import { basename, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type AnimateOptions, animateRun } from '../../../run/animation/animate.js';
import { openRun } from '../../../store/open.js';
import { stopOnInterrupt } from '../../interrupt.js';
import { printJson, say } from '../../output.js';
import { bytes, progressBar } from '../../progress.js';
import { parseCount, parsePath } from '../run.js';

interface Options {
  readonly out: string;
  readonly every: number;
  readonly cumulative?: boolean;
  readonly objective?: string;
  readonly fps: number;
  readonly size: AnimateOptions['size'];
  readonly scale?: number;
  readonly theme: 'light' | 'dark';
  readonly title?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Pixels of a frame, both numbers even, as video needs them. Throws InvalidArgumentError. */
function parseSize(text: string): AnimateOptions['size'] {
  const [, width, height] = (/^(\d+)x(\d+)$/.exec(text) ?? []).map(Number);
  const isFit = (side: number | undefined): side is number =>
    side !== undefined && side % 2 === 0 && side >= 64 && side <= 4096;
  if (isFit(width) && isFit(height)) return { width, height };
  throw new InvalidArgumentError('expected two even numbers of pixels from 64 to 4096, such as 1280x720');
}

function parseRate(text: string): number {
  const value = Number(text);
  if (value >= 1 && value <= 120) return value;
  throw new InvalidArgumentError('expected a number from 1 to 120');
}

function parseScale(text: string): number {
  const value = Number(text);
  if (value > 0 && value < Infinity) return value;
  throw new InvalidArgumentError('expected a number above 0');
}

const help = `
Each cell is a parameter: rows are outputs, columns inputs, kernels and images
are tiles; biases stand beside. Blue helped, orange hurt; cells of four pixels
and more show it by their width, too. The scale is the same in all frames; it
goes by the square root, so that small allocations are seen, and its deepest
colours stand for the magnitude that one entry in a thousand exceeds (--scale).
Parameters that share a pixel show the one whose allocation is largest.`;

export function animateCommand(): Command {
  return new Command('animate')
    .description('write an animation of all parameters by layer: allocation as colour, the loss with a cursor')
    .argument('<run>', 'run folder')
    .requiredOption('--out <file>', 'FILE.mp4, FILE.webm or FILE.gif, which replaces one that is there, or a folder for a PNG file a frame', parsePath)
    .option('--every <count>', 'segments a frame, whose allocations are added up', parseCount, 1)
    .option('--cumulative', 'show what was allocated since the start')
    .option('--objective <name>', 'whose loss (default: the first that was measured)')
    .option('--fps <number>', 'frames a second', parseRate, 30)
    .addOption(new Option('--size <pixels>', 'width and height of a frame').argParser(parseSize).default({ width: 1280, height: 720 }, '1280x720'))
    .option('--scale <number>', 'allocation of the deepest colours, to compare runs (default: by the run)', parseScale)
    .addOption(new Option('--theme <name>', 'background').choices(['light', 'dark']).default('light'))
    .option('--title <text>', 'name in the picture (default: that of the folder)')
    .option('--json', 'print what was written as one JSON document')
    .option('--quiet', 'no progress')
    .addHelpText('after', help)
    .action(async (folder: string, options: Options) => {
      const { fps, scale, json, quiet, cumulative = false, title = basename(resolve(folder)), ...rest } = options;
      const { signal, release } = stopOnInterrupt();
      const progress = (label: string) => progressBar(label, 'frames', quiet);
      const started = performance.now();
      const facts = await animateRun(await openRun(folder), {
        ...rest, cumulative, title, framesPerSecond: fps, largest: scale, progress, signal,
      }).finally(release);
      const seconds = (performance.now() - started) / 1000;
      if (json) printJson({ ...facts, seconds });
      else say(`${facts.frames} frames of ${facts.width}x${facts.height} in ${seconds.toFixed(1)} s, ${bytes(facts.bytes)}, written to ${facts.path}${facts.replaced ? ', in place of the file that was there' : ''}`);
    });
} // prettier-ignore
