import type { TailsOf, ThemeAnalyses } from '../../../analysis/index.js';
import { formatNumber, formatShare } from '../../format.js';
import type { ReadTable } from './table.js';

function rowOf({ name, concentration, fits, fitsBeyondCut }: TailsOf): string[] {
  const beyond = (z: number): string => {
    const found = concentration?.tails.find((tail) => tail.beyond === z);
    return found === undefined ? '–' : formatNumber(found.ratio, 3);
  };
  const shape = (of: TailsOf['fits']): string => (of === null ? '–' : formatNumber(of.weibull.shape!, 3));
  return [
    name,
    beyond(1),
    beyond(2),
    beyond(3),
    shape(fits),
    shape(fitsBeyondCut),
    concentration === null ? '–' : formatNumber(concentration.gini, 3),
    formatShare(concentration?.halfShare ?? null),
  ];
}

function fitTable({ fits }: TailsOf): ReadTable[] {
  if (fits === null) return [];
  const row = (name: string, of: (typeof fits)['gaussian']): string[] => [
    name,
    formatNumber(of.scale, 3),
    of.shape === null ? '–' : formatNumber(of.shape, 4),
    formatNumber(of.logLikelihood, 4),
    formatNumber(of.distance, 3),
  ];
  return [
    {
      title: 'Tails: which distribution fits',
      head: ['distribution', 'scale', 'shape', 'log likelihood', 'distance'],
      rows: [row('Gaussian', fits.gaussian), row('Laplace', fits.laplace), row('double Weibull', fits.weibull)],
      note:
        'By maximum likelihood around zero, entries that are exactly zero left out. Log likelihood in nats an entry: more fits better. ' +
        "Distance: Kolmogorov's, of the magnitudes: less fits better.",
    },
  ];
} // prettier-ignore

/** How heavy tails are, by layer, by range of iterations and in all (Section 3, Figure S10). */
export function tailsTables({ tails }: ThemeAnalyses): ReadTable[] {
  if (!tails) return [];
  const { run, perLayer, perRange, carriers, cut } = tails;
  const named = perRange.map((own) => ({ ...own, name: `iterations ${own.name}` }));
  return [
    {
      title: 'Tails: how heavy they are',
      head: ['entries of', '1σ', '2σ', '3σ', 'shape', 'cut', 'Gini', 'half in'],
      rows: [...perLayer, ...named, run].map(rowOf),
      note:
        `1σ, 2σ, 3σ: share of the magnitude beyond so many root mean squares, over a Gaussian's (paper: about 3, which 2σ gives). shape: of the ` +
        `fitted double Weibull over all entries not zero, and beyond ${formatNumber(cut, 1)} alone (cut). half in: fewest entries that hold half of the ` +
        `magnitude. Over the run, ${formatShare(carriers.halfOfMagnitude)} of the parameters hold half of all totals' magnitude, and ` +
        `${formatShare(carriers.halfOfChange)} bring half of the change of the loss.`,
    },
    ...fitTable(run),
  ];
}
