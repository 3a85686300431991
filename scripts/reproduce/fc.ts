import { paperRecord } from '../../src/analysis/paper.js';
import type { Turns } from '../../src/analysis/index.js';
import type { RunResult } from './results.js';
import { layerWords, number, percent, table } from './words.js';

type Cell = (result: RunResult) => string;
type Row = readonly [what: string, cell: Cell];

const main = ({ analysis }: RunResult) => analysis.objectives[0]!;
const paper = ({ step }: RunResult) => paperRecord(step.name)!;

/** One line a quantity, one column a run: ours, and in brackets the paper's. */
function linesOf(results: readonly RunResult[], rows: readonly Row[]): string {
  return table(
    [
      '',
      ...results.map(({ step, progress }) =>
        progress === null ? step.name : `${step.name}, first ${progress}`,
      ),
    ],
    rows.map(([what, cell]) => [what, ...results.map(cell)]),
  );
}

const beside = (ours: string, theirs: string): string => `${ours} (${theirs})`;

const errors: readonly Row[] = [
  ['train loss, first and last (nats)', (own) => `${number(main(own).conservation.lossStart)} → ${number(main(own).conservation.lossEnd)}`],
  ['cumulative error, Simpson', (own) => beside(`${number(main(own).conservation.chosen.totalErrorPercent)} %`, `${number(paper(own).totalErrorPercent.rungeKutta)} %`)],
  ['cumulative error, first order', (own) => beside(`${number(main(own).conservation.left?.totalErrorPercent)} %`, `${number(paper(own).totalErrorPercent.firstOrder)} %`)],
  ['mean error of an iteration, Simpson (nats)', (own) => beside(number(main(own).conservation.chosen.meanIterationError), number(paper(own).meanIterationError.rungeKutta))],
  ['mean error of an iteration, first order (nats)', (own) => beside(number(main(own).conservation.left?.meanIterationError), number(paper(own).meanIterationError.firstOrder))],
  ['iterations over the tolerance of 0.001', (own) => String(main(own).conservation.overTolerance)],
]; // prettier-ignore

const noise: readonly Row[] = [
  ['**share helping**, of entries not zero (50–58 %)', ({ themes }) => percent(themes.noise!.shares.ofNonzero.helping)],
  ['alternative: of all entries', ({ themes }) => percent(themes.noise!.shares.ofAll.helping)],
  ['**exactly zero**, of all entries (about 20 %)', ({ themes }) => percent(themes.noise!.shares.ofAll.zero)],
  ['alternative: parameters that are always zero', ({ themes, analysis }) => percent((themes.noise!.histogram?.never ?? 0) / analysis.summary.parameters)],
  ['signs that change from an iteration to the next; of coins', ({ themes }) => `${percent(themes.noise!.alternation?.changes)}; ${percent(themes.noise!.alternation?.changesOfCoins)}`],
  ['walk: Σ (Σ a)² / Σ Σ a² (1: random)', ({ themes }) => number(themes.noise!.walk?.ratio, 2)],
  ['**tails**: share beyond 2σ over a Gaussian’s (about 3)', ({ themes }) => number(themes.tails!.run.concentration!.tails[1]!.ratio)],
  ['alternatives: beyond 1σ; 3σ', ({ themes }) => `${number(themes.tails!.run.concentration!.tails[0]!.ratio, 2)}; ${number(themes.tails!.run.concentration!.tails[2]!.ratio)}`],
  ['double Weibull: shape (< 1); beyond 1e-12 alone', ({ themes }) => `${number(themes.tails!.run.fits?.weibull.shape)}; ${number(themes.tails!.run.fitsBeyondCut?.weibull.shape)}`],
  ['log likelihood an entry: Gaussian, Laplace, double Weibull', ({ themes }) => { const f = themes.tails!.run.fits; return f === null ? '–' : [f.gaussian, f.laplace, f.weibull].map(({ logLikelihood }) => number(logLikelihood)).join(', '); }],
  ['parameters with half of all net magnitude', ({ themes }) => percent(themes.tails!.carriers.halfOfMagnitude)],
]; // prettier-ignore

/** Table S2, by preset: iterations per turn and per crossing. */
export const tableS2: Readonly<Record<string, readonly [number, number]>> = {
  'mnist-fc-sgd-mom0': [3.49, 3.48],
  'mnist-fc-sgd': [13.57, 11.68],
  'mnist-fc-adam': [12.68, 12.71],
  'mnist-lenet-sgd': [10.29, 9.37],
  'cifar-resnet20-sgd': [6.74, 9.51],
  'cifar-allcnn-sgd': [7.06, 11.18],
};

const turnsOf = ({ themes }: RunResult, kind: 'weights' | 'gradients'): Turns | undefined => themes.oscillation![kind]?.run; // prettier-ignore

function oscillationRows(kind: 'weights' | 'gradients', name: string): Row[] {
  const index = kind === 'weights' ? 0 : 1;
  return [
    [`**${name}**, all parameters pooled`, (own) => beside(number(turnsOf(own, kind)?.iterationsPerTurn, 4), String(tableS2[own.step.name]![index]))],
    ['alternative: without those that never do', (own) => number(turnsOf(own, kind)?.ofMoving, 4)],
    ['alternatives: mean over parameters; median', (own) => `${number(turnsOf(own, kind)?.meanOfParameters)}; ${number(turnsOf(own, kind)?.medianOfParameters)}`],
  ];
} // prettier-ignore

const synchrony: readonly Row[] = [
  ['moments of all layers at once, by class (of the 20 lowest of each)', ({ themes }) => String(themes.synchrony!.byPart?.observed ?? '–')],
  ['**layers shifted** by ±1, ±2: expected; p (floor 1/16)', (own) => nullOf(own, 'byPart', 'shiftedLayers')],
  ['alternative: each class and layer on its own: expected; p', (own) => nullOf(own, 'byPart', 'shiftedCurves')],
  ['alternative: rotated within ±10: expected; p', (own) => nullOf(own, 'byPart', 'rotated')],
  ['without classes: observed; layers shifted', (own) => `${own.themes.synchrony!.whole.observed}; ${nullOf(own, 'whole', 'shiftedLayers')}`],
  ['motion alone: observed; rotated', (own) => `${own.themes.synchrony!.motion?.observed ?? '–'}; ${nullOf(own, 'motion', 'rotated')}`],
  ['gradients alone: observed; rotated', (own) => `${own.themes.synchrony!.gradient?.observed ?? '–'}; ${nullOf(own, 'gradient', 'rotated')}`],
]; // prettier-ignore

function nullOf({ themes }: RunResult, of: 'whole' | 'byPart' | 'motion' | 'gradient', kind: 'shiftedLayers' | 'shiftedCurves' | 'rotated'): string {
  const own = themes.synchrony![of]?.[kind];
  return own ? `${number(own.mean)}; ${number(own.p, 2)}` : '–';
} // prettier-ignore

const layers: readonly Row[] = [
  ['totals (all layers help)', ({ themes }) => layerWords(themes.layers!.layers)],
  ['segments in which a layer hurts', ({ themes }) => themes.layers!.layers.map(({ hurtingSegments }) => percent(hurtingSegments, 0)).join(', ')],
]; // prettier-ignore

const neurons: readonly Row[] = [
  ['correlation of running totals: same output, same input, any two (first layer)', ({ themes }) => themes.neurons!.kernels?.[0]?.cumulative.map(({ mean }) => number(mean, 2)).join(', ') ?? '–'],
  ['of single allocations', ({ themes }) => themes.neurons!.kernels?.[0]?.single.map(({ mean }) => number(mean, 2)).join(', ') ?? '–'],
  ['Kolmogorov’s D against any two', ({ themes }) => themes.neurons!.kernels?.[0]?.cumulative.flatMap(({ test }) => test ? [number(test.distance, 2)] : []).join(', ') ?? '–'],
  ['largest share of one class in a neuron, by layer (rises with depth)', ({ themes }) => themes.neurons!.classes?.perLayer.map(({ meanLargest }) => percent(meanLargest, 0)).join(', ') ?? '–'],
]; // prettier-ignore

/** The whole section of the fully connected networks. */
export function fcSection(results: readonly RunResult[]): string {
  if (results.length === 0) return 'None of these runs is done.';
  const part = (heading: string, rows: readonly Row[], text: string): string =>
    `### ${heading}\n\n${linesOf(results, rows)}\n\n${text}`;
  return [
    part('Errors of the integration (Table S1)', errors,
      'The paper’s errors are in brackets. Errors are sums over one random training, so that their size can be compared and their digits cannot; the sign of a cumulative error is chance where it is near zero.'),
    part('Noise and tails (Section 3, Figures 3, S3, S10)', noise,
      'The paper’s numbers are in brackets. Shares fall into its range where entries that are exactly zero are left out, and outside where they are not.'),
    part('Oscillation (Table S2)', [...oscillationRows('weights', 'iterations per turn of a weight'), ...oscillationRows('gradients', 'iterations per zero crossing of the gradient')],
      'The pooled definition, parameters that never move included, fits best; the alternatives are 10 % lower, or four times larger.'),
    part('Layers (Section 4)', layers, 'Below zero a layer helped.'),
    part('Synchrony (Section 5, Figure 6)', synchrony,
      'A p of 1/16 is the least that three layers shifted together can give, since four of the 64 combinations are equal shifts of all; the null that shifts each class and layer on its own shows how far the observed number is beyond it. Peaks of motion and of gradients coincide as well: the paper finds them less synchronous.'),
    part('Neurons and classes (Section S6)', neurons, 'Pairs that share a neuron are correlated more than any two, as in the paper.'),
  ].join('\n\n');
} // prettier-ignore
