import { join } from 'node:path';
import type { RunAnalysis } from '../analysis/run.js';
import { writeResult } from '../store/results.js';

/** Draws the figures of a report as files of their own, `NAME.svg` and `NAME.png`, on a light background. Returns their paths. */
export async function writeFigures(analysis: RunAnalysis, folder: string): Promise<string[]> {
  // Loaded when they are needed: drawing takes longer to load than most commands take.
  const { drawFigures } = await import('../figures/index.js');
  const { renderPng } = await import('../figures/png.js');
  const paths: string[] = [];
  for (const figure of drawFigures(analysis)) {
    await writeResult(folder, `${figure.name}.svg`, figure.svg);
    await writeResult(folder, `${figure.name}.png`, renderPng(figure));
    paths.push(join(folder, `${figure.name}.svg`), join(folder, `${figure.name}.png`));
  }
  return paths;
}
