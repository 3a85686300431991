import { join } from 'node:path';
import type { RunAnalysis } from '../analysis/run.js';
import { writeResult } from '../store/files.js';

/** Figures that were written as files. */
export interface FigureFiles {
  readonly paths: readonly string[];
  /** Why there are no PNG files; null where there are. */
  readonly problem: string | null;
}

/** Draws the figures of a report as files of their own, `NAME.svg` and, where that is possible, `NAME.png`, on a light background. */
export async function writeFigures(analysis: RunAnalysis, folder: string): Promise<FigureFiles> {
  // Loaded when they are needed: drawing takes longer to load than most commands take.
  const { drawFigures } = await import('../figures/index.js');
  const { pngProblem, renderPng } = await import('../figures/png.js');
  const problem = pngProblem();
  const paths: string[] = [];
  const write = async (name: string, content: string | Uint8Array) => {
    await writeResult(folder, name, content);
    paths.push(join(folder, name));
  };
  for (const figure of drawFigures(analysis)) {
    await write(`${figure.name}.svg`, figure.svg);
    if (problem === null) await write(`${figure.name}.png`, renderPng(figure));
  }
  return { paths, problem };
}
