import { join } from 'node:path';
import type { RunAnalysis } from '../analysis/run.js';
import type { ThemeAnalyses } from '../analysis/themes/themes.js';
import type { Figure } from '../figures/plots/canvas.js';
import type { DataTable } from '../figures/themes/drawing.js';
import { writeResult } from '../store/place.js';

/** Figures that were written as files. */
export interface FigureFiles {
  readonly paths: readonly string[];
  /** Why there are no PNG files; null where there are. */
  readonly problem: string | null;
}

/** Figures with what their file names end in. */
interface FigureSet {
  readonly figures: readonly Figure[];
  readonly ending: string;
}

async function writeSets(folder: string, sets: readonly FigureSet[]): Promise<FigureFiles> {
  const { pngProblem, renderPng } = await import('../figures/png.js');
  const problem = pngProblem();
  const paths: string[] = [];
  const write = async (name: string, content: string | Uint8Array) => {
    await writeResult(folder, name, content);
    paths.push(join(folder, name));
  };
  for (const { figures, ending } of sets) {
    for (const figure of figures) {
      await write(`${figure.name}${ending}.svg`, figure.svg);
      if (problem === null) await write(`${figure.name}${ending}.png`, renderPng(figure));
    }
  }
  return { paths, problem };
}

/** Draws every figure that there is of a run, the themes' where they were analysed, light and (`NAME-dark`) dark. */
export async function writeAllFigures(
  analysis: RunAnalysis,
  themes: ThemeAnalyses | null,
  folder: string,
): Promise<FigureFiles> {
  const { drawFigures, drawThemes, drawToy } = await import('../figures/index.js');
  const all = (theme: 'light' | 'dark'): Figure[] => [
    ...drawFigures(analysis, { theme }),
    ...(themes === null ? [] : drawThemes(themes, theme).flatMap(({ figures }) => figures)),
    drawToy(theme),
  ];
  return writeThemed(all, folder);
}

/** Writes figures light and (`NAME-dark`) dark. */
export function writeThemed(
  draw: (theme: 'light' | 'dark') => readonly Figure[],
  folder: string,
): Promise<FigureFiles> {
  return writeSets(folder, [
    { figures: draw('light'), ending: '' },
    { figures: draw('dark'), ending: '-dark' },
  ]);
}

/** What a command that compares or repeats runs found. */
export interface Findings {
  /** The record's file is `NAME.json`. */
  readonly name: string;
  readonly record: unknown;
  readonly tables: readonly { readonly name: string; readonly table: DataTable }[];
  readonly draw: (theme: 'light' | 'dark') => readonly Figure[];
}

/** Writes a record as JSON, the numbers of its figures as CSV, and the figures, light and dark. */
export async function writeFindings(
  { name, record, tables, draw }: Findings,
  folder: string,
): Promise<FigureFiles> {
  const { csvText } = await import('../figures/index.js');
  const files = [
    [`${name}.json`, `${JSON.stringify(record)}\n`],
    ...tables.map((own) => [`${own.name}.csv`, csvText(own.table)]),
  ] as [string, string][];
  for (const [file, content] of files) await writeResult(folder, file, content);
  const { paths, problem } = await writeThemed(draw, folder);
  return { paths: [...files.map(([file]) => join(folder, file)), ...paths], problem };
}
