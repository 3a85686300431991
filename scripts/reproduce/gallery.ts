import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drawFigures, drawThemes, drawToy, type Figure } from '../../src/figures/index.js';
import { renderPng } from '../../src/figures/png.js';
import { animateRun } from '../../src/run/animation/animate.js';
import { silent } from '../../src/experiment/control.js';
import { openRun } from '../../src/store/open.js';
import type { RunResult } from './results.js';

/** From this size on a figure is shown as PNG, which is smaller. */
const svgLimit = 60_000;

async function writeFigure(figure: Figure, folder: string): Promise<string> {
  const asSvg = figure.svg.length <= svgLimit;
  const name = `${figure.name}.${asSvg ? 'svg' : 'png'}`;
  await writeFile(join(folder, name), asSvg ? figure.svg : renderPng(figure, 1.5));
  return name;
}

const entry = (title: string, caption: string, file: string): string =>
  `### ${title}\n\n![${title}](gallery/${file})\n\n${caption}`;

/** One frame of the animation, early, when much happens. */
async function writeFrame({ step }: RunResult, place: string, folder: string): Promise<string> {
  const frames = join(folder, 'frames');
  await rm(frames, { recursive: true, force: true });
  const run = await openRun(join(place, step.name));
  await animateRun(run, {
    out: frames, framesPerSecond: 30, size: { width: 1280, height: 720 }, theme: 'light', title: step.name,
    every: 20, cumulative: false, progress: () => silent,
  });
  const { readFile } = await import('node:fs/promises');
  await writeFile(join(folder, 'animation.png'), await readFile(join(frames, 'frame-0002.png')));
  await rm(frames, { recursive: true });
  return 'animation.png';
} // prettier-ignore

/** Writes each figure of a run once, and a page that shows them. */
export async function writeGallery(result: RunResult, place: string, docs: string): Promise<void> {
  const folder = join(docs, 'gallery');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const draw = async (figures: readonly Figure[]): Promise<string[]> =>
    Promise.all(figures.map(async (figure) => entry(figure.title, figure.caption, await writeFigure(figure, folder))));
  const sections = [`## The run\n\n${(await draw(drawFigures(result.analysis))).join('\n\n')}`];
  for (const { heading, figures } of drawThemes(result.themes)) sections.push(`## ${heading}\n\n${(await draw(figures)).join('\n\n')}`);
  const frame = await writeFrame(result, place, folder);
  const page = [
    '# Gallery',
    `Every figure once, of a real run: ${result.step.name}, all examples, ${result.analysis.summary.segments} iterations, divided by class. \`lca figures RUN --out FOLDER\` writes them light and dark, as SVG and PNG; \`npm run gallery\` makes this page.`,
    ...sections,
    `## The surface\n\n${(await draw([drawToy()])).join('')}`,
    `## Animation\n\n${entry('One frame of lca animate', 'Allocation to each parameter in iterations 20 to 40: the images that first-layer neurons read, and the matrices of both other layers with their biases (paper Figure 2).', frame)}`,
  ];
  await writeFile(join(docs, 'GALLERY.md'), `${page.join('\n\n')}\n`);
} // prettier-ignore
