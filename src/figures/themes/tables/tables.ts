import type { ThemeAnalyses, ThemeName } from '../../../analysis/index.js';
import { formatNumber } from '../../format.js';
import { layersTables } from './layers.js';
import { neuronsTables } from './neurons.js';
import { noiseTables } from './noise.js';
import { countedSteps, oscillationTables } from './oscillation.js';
import { synchronyTables } from './synchrony.js';
import { type ReadTable, tableText, wrap } from './table.js';
import { tailsTables } from './tails.js';
import { trajectoriesTables } from './trajectories.js';
import { useTables } from './use.js';

/** Of each theme, in its order. */
const tables: Readonly<Record<ThemeName, (analyses: ThemeAnalyses) => ReadTable[]>> = {
  noise: noiseTables,
  tails: tailsTables,
  oscillation: oscillationTables,
  layers: layersTables,
  synchrony: synchronyTables,
  neurons: neuronsTables,
  trajectories: trajectoriesTables,
  use: useTables,
};

/** All tables of a run's themes as text of 80 columns, then what could not be said. */
export function themesText(analyses: ThemeAnalyses): string {
  const found = Object.values(tables).flatMap((of) => of(analyses));
  const missing = analyses.missing.flatMap((text) => wrap(`Not said: ${text}.`));
  return [...found.map(tableText), ...(missing.length > 0 ? [missing.join('\n')] : [])].join('\n\n');
}

const number = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : value.toPrecision(3);

/** The most telling numbers of several runs, side by side. */
export function overviewTable(runs: readonly { readonly run: string; readonly analyses: ThemeAnalyses }[]): ReadTable {
  // Where rows of θ of any are further apart than one step, turns are counted by segments.
  const apart = runs.filter(({ analyses: { segments, iterations } }) => countedSteps(segments, iterations)[0] === 'segments');
  const counted = apart.length > 0 ? 'segments' : 'iterations';
  const spans = apart.map(({ run, analyses: { segments, iterations } }) => `${formatNumber(iterations / segments, 3)} iterations in ${run}`);
  return {
    title: `Overview of ${runs.length} runs`,
    head: ['run', 'helping', 'turned', '2σ', 'shape', 'per turn', 'together', 'p'],
    rows: runs.map(({ run, analyses: { noise, tails, oscillation, synchrony } }) => [
      run,
      number(noise?.shares.ofNonzero.helping),
      number(noise?.alternation?.changes),
      number(tails?.run.concentration?.tails[1]?.ratio),
      number(tails?.run.fits?.weibull.shape),
      number(oscillation?.weights?.run.iterationsPerTurn),
      number((synchrony?.byPart ?? synchrony?.whole)?.share),
      number((synchrony?.byPart ?? synchrony?.whole)?.shiftedCurves?.p),
    ]),
    note:
      'helping: of entries not zero; turned: pairs of consecutive entries with opposite signs; 2σ: magnitude beyond it over a Gaussian’s; shape of the ' +
      `double Weibull; ${counted} per turn of a weight; share of the moments of learning that all layers have together, and its p against shifted curves.` +
      (apart.length > 0 ? ` A segment is on average ${spans.join(', ')}: turns are not to be compared between runs of other spans.` : ''),
  };
} // prettier-ignore
