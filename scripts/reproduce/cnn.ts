import { paperRecord } from '../../src/analysis/paper.js';
import type { CellSummary, SweepAnalysis } from '../../src/analysis/comparison/sweep.js';
import { tableS2 } from './fc.js';
import type { Results, RunResult } from './results.js';
import { layerWords, number, percent, table } from './words.js';

function rowOf({ step, analysis, themes }: RunResult): string[] {
  const { conservation } = analysis.objectives[0]!;
  const paper = paperRecord(step.name)!;
  const [turns, crossings] = tableS2[step.name]!;
  const { weights, gradients } = themes.oscillation!;
  return [
    `${step.name}: ${step.reduced!}`,
    `${number(conservation.lossStart)} → ${number(conservation.lossEnd)}`,
    `${number(conservation.chosen.totalErrorPercent)} % (${number(paper.totalErrorPercent.rungeKutta)} %)`,
    `${number(conservation.left?.totalErrorPercent)} % (${number(paper.totalErrorPercent.firstOrder)} %)`,
    `${percent(themes.noise!.shares.ofNonzero.helping)} (${paper.helpingPercent.from}–${paper.helpingPercent.to} %)`,
    `${number(weights?.run.iterationsPerTurn)} (${turns})`,
    `${number(gradients?.run.iterationsPerTurn)} (${crossings})`,
  ];
}

/** What each layer did: its sign is what the paper speaks of. */
function signsOf({ step, themes }: RunResult): string {
  const { layers } = themes.layers!;
  const hurting = layers.filter(({ total }) => total > 0);
  const ends = layerWords([layers[0]!, layers.at(-1)!]);
  const rest = hurting.length === 0 ? 'no layer hurt' : `hurt: ${layerWords(hurting)}`;
  return `- ${step.name}: ${layers.length} layers, first and last ${ends} nats; ${rest}.`;
}

/** The section of the convolutional networks. */
export function cnnSection(results: readonly RunResult[]): string {
  if (results.length === 0) return 'None of these runs is done.';
  const head = ['run', 'train loss (nats)', 'error, Simpson', 'error, first order', 'share helping', 'turns', 'crossings'];
  return [
    table(head, results.map(rowOf)),
    'These are the first iterations of the training on a fraction of the data (the paper’s numbers, over 880 or 5,000 iterations on all data, are in brackets): shares are higher and oscillation is slower or quicker while the loss still falls fast, so the numbers show that the path works and are no reproduction. The sign of each layer’s total:',
    results.map(signsOf).join('\n'),
    'The paper finds, for ResNet with SGD over 5,000 iterations, that the first and the last layer hurt and all others help.',
  ].join('\n\n');
} // prettier-ignore

const lastLayer = ({ summary }: CellSummary) => summary!.layers.at(-1)!;
const trainLoss = ({ summary }: CellSummary) => summary!.losses[0]!;

const cellsOf = ({ grids }: SweepAnalysis) =>
  grids.flatMap((grid) => grid.cells).filter(({ summary }) => summary !== null);

/** The setting that the others are compared with. */
const baselineOf = (sweep: SweepAnalysis) => cellsOf(sweep).find((cell) => trainLoss(cell).less === null);

function sweepTable(sweep: SweepAnalysis): string {
  const cells = cellsOf(sweep);
  const head = ['setting', 'train loss at the end', `less that of “${baselineOf(sweep)?.label ?? ''}”`, 'p', 'last layer’s total'];
  const rows = cells.map((cell) => {
    const { less, test } = trainLoss(cell);
    return [cell.label, number(test.mean, 4), less === null ? '–' : number(less.mean), number(less?.p, 2), number(lastLayer(cell).test.mean)];
  });
  return table(head, rows);
} // prettier-ignore

/** Whether the layer that the settings slow down helped or hurt where it was trained: what freezing it can be expected to do. */
function expectation(sweep: SweepAnalysis): string {
  const trained = baselineOf(sweep);
  if (trained === undefined) return '';
  const total = lastLayer(trained).test.mean;
  const expected =
    total < 0 ? 'helped, so less motion of it should cost' : 'hurt, so less motion of it should gain';
  return `With “${trained.label}” the last layer’s total is ${number(total)} nats: it ${expected}. The paper did this to a layer that hurt.`;
}

/** The section of Section 4's experiments. */
export function sectionsSection({ sweeps }: Results): string {
  const parts = [...sweeps.values()].map(({ step, sweep }) => `### ${step.name}\n\n${sweep.about ?? ''}\nHere: ${step.reduced!} (nats).\n\n${sweepTable(sweep)}\n\n${expectation(sweep)}`);
  return parts.length === 0 ? 'None of these sweeps is done.' : parts.join('\n\n');
} // prettier-ignore
