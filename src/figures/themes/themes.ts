import type { ThemeAnalyses } from '../../analysis/index.js';
import { createCanvas, type Figure } from '../plots/canvas.js';
import type { Theme } from '../theme.js';
import type { DataTable, ThemeDrawing } from './drawing.js';
import { layersDrawings } from './layers.js';
import { neuronsDrawings } from './neurons.js';
import { noiseDrawings } from './noise.js';
import { oscillationDrawings } from './oscillation.js';
import { saliencyDrawings } from './saliency.js';
import { synchronyDrawings } from './synchrony.js';
import { tailsDrawings } from './tails.js';
import { toyFigure } from './toy.js';
import { trajectoriesDrawings } from './trajectories.js';
import { useDrawings } from './use.js';

/** Every figure of the themes, in reading order. */
const drawings: readonly ThemeDrawing[] = [
  ...noiseDrawings,
  ...tailsDrawings,
  ...oscillationDrawings,
  ...layersDrawings,
  ...synchronyDrawings,
  ...neuronsDrawings,
  ...saliencyDrawings,
  ...trajectoriesDrawings,
  ...useDrawings,
];

/** Sections of themes in a page, in order: heading and figures. */
const headings: Readonly<Record<ThemeDrawing['theme'], string>> = {
  noise: 'How noisy learning is',
  tails: 'How heavy the tails are',
  oscillation: 'How weights oscillate',
  layers: 'What layers did',
  synchrony: 'Whether layers learn at the same moments',
  neurons: 'What neurons and classes have to do with each other',
  trajectories: 'Trajectories',
  use: 'What to do about it',
};

/** A theme's figures under its heading. */
export interface ThemeSection {
  readonly heading: string;
  readonly figures: readonly Figure[];
}

/** Draws the themes that a run has records of; sections without figures are left out. */
export function drawThemes(analyses: ThemeAnalyses, theme: Theme = 'light'): ThemeSection[] {
  const canvas = createCanvas(theme);
  const names = Object.keys(headings) as ThemeDrawing['theme'][];
  return names
    .map((name) => ({
      heading: headings[name],
      figures: drawings
        .filter((own) => own.theme === name)
        .flatMap((own) => own.draw(canvas, analyses) ?? []),
    }))
    .filter(({ figures }) => figures.length > 0);
}

/** The toy surface, which needs no run. */
export const drawToy = (theme: Theme = 'light'): Figure => toyFigure(createCanvas(theme));

/** The numbers of every figure that the records allow, by its name. */
export function themeData(analyses: ThemeAnalyses): { readonly name: string; readonly table: DataTable }[] {
  return drawings.flatMap(({ name, data }) => {
    const table = data(analyses);
    return table === null ? [] : [{ name, table }];
  });
}
