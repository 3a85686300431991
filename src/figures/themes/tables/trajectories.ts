import type { ParameterPath, ThemeAnalyses } from '../../../analysis/index.js';
import { formatNumber } from '../../format.js';
import type { ReadTable } from './table.js';

function pathRow({ tensor, index, total, weight }: ParameterPath): string[] {
  const [first, last] =
    weight === null ? ['–', '–'] : [weight[0]!, weight.at(-1)!].map((w) => formatNumber(w, 3));
  return [`${tensor!}[${index.join(', ')}]`, formatNumber(total, 3), first!, last!];
}

/** First order against converged, and the parameters that stand out (Section S2, Figure S1). */
export function trajectoriesTables({ trajectories, unit }: ThemeAnalyses): ReadTable[] {
  if (!trajectories) return [];
  const { loss, parameters } = trajectories;
  const change = (path: readonly number[]): number => path.at(-1)! - path[0]!;
  const paths = [
    ['measured', loss.measured],
    ['sum of allocations', loss.converged],
    ['of the first order', loss.firstOrder],
  ] as const;
  const named = parameters === null ? [] : [...parameters.helped, ...parameters.hurt];
  return [
    {
      title: 'Trajectories: what allocations add up to',
      head: ['loss', `change (${unit})`, 'error'],
      rows: paths.flatMap(([name, path]) =>
        path === null
          ? []
          : [[name, formatNumber(change(path)), formatNumber(change(path) - change(loss.measured), 3)]],
      ),
      note: 'First order: the gradient at the start of each step times the step, at no extra cost; it claims more than happened wherever the loss is curved.',
    },
    ...(named.length === 0
      ? []
      : [
          {
            title: 'Trajectories: parameters that stand out',
            head: ['parameter', `total (${unit})`, 'first weight', 'last weight'],
            rows: named.map(pathRow),
            note: 'Totals over the run; those below zero helped.',
          },
        ]),
  ];
}
