import type { Extreme, Extremes, RunAnalysis } from '../../analysis/index.js';
import { errorColumns, errorDefinition, errorRows, paperNote } from '../error-rows.js';
import { formatCount, formatNumber, formatPercent, formatShare } from '../format.js';
import type { Reading } from '../../formats/reading.js';
import { objectiveLabel } from '../objectives.js';
import { plusMinus } from '../sampling.js';
import { escapeMarkup, stepOf } from '../text.js';

interface Table {
  /** For screen readers. */
  readonly name: string;
  /** Empty: none. */
  readonly caption: string;
  /** The first names the rows. */
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Cells are prose, not numbers. */
  readonly prose?: boolean;
}

/** A name that breaks where its parts begin, before it breaks within one. */
const breakable = (name: string): string => escapeMarkup(name).replace(/([./_:])(?=\w)|(?=\[)/g, '$1<wbr>');

function renderRow([name, ...cells]: readonly string[]): string {
  const rest = cells.map((cell) => `<td>${escapeMarkup(cell)}</td>`).join('');
  return `<tr><th scope="row">${breakable(name!)}</th>${rest}</tr>`;
}

function renderTable({ name, caption, head, rows, prose = false }: Table): string {
  const heads = head.map((cell) => `<th scope="col">${escapeMarkup(cell)}</th>`).join('');
  const body = rows.map(renderRow).join('\n');
  return `<figure class="table"><div class="${prose ? 'scroll prose' : 'scroll'}" tabindex="0" role="region" aria-label="${escapeMarkup(name)}"><table aria-label="${escapeMarkup(name)}">
<thead><tr>${heads}</tr></thead>
<tbody>
${body}
</tbody></table></div>${caption && `<figcaption>${escapeMarkup(caption)}</figcaption>`}</figure>`;
}

/** This run's quadrature errors beside those of the paper's Table S1. */
export function errorTable(analysis: RunAnalysis): string {
  const { total, mean, worst, over } = errorColumns(analysis.summary);
  return renderTable({
    name: 'Errors of the integration',
    caption: [errorDefinition, paperNote(analysis) ?? 'The paper has no numbers for this experiment.'].join(
      ' ',
    ),
    head: ['rule and data', total, mean, worst, over],
    rows: errorRows(analysis).map((row) => [row.what, row.total, row.mean, row.worst, row.over]),
  });
}

/** Every layer in numbers, with the total of every objective and the shares of the first; null where nothing was measured. */
export function layerTable({ objectives, summary }: RunAnalysis): string | null {
  const [main] = objectives;
  if (!main) return null;
  const { certainty } = main;
  const change = main.conservation.lossChange;
  const about = objectives.length > 1 ? ` (${main.name})` : '';
  return renderTable({
    name: 'Layers in numbers',
    caption: `Totals over the run in ${summary.unit} (negative helped). Shares count entries of all ${stepOf(summary)}s.`,
    head: [
      'layer',
      'parameters',
      ...objectives.flatMap(({ name, sampling }) => [
        `${name} total`,
        ...(sampling ? [`${name}, 95 %`] : []),
      ]),
      `of the loss change${about}`,
      `helping, of all${about}`,
      `exactly zero, of all${about}`,
      `helping, of those not zero${about}`,
      ...(certainty ? [`undetermined, of those not zero${about}`, `error by a coarser rule${about}`] : []),
    ],
    rows: main.layers.map(({ layer, parameters, total }, i) => {
      const { ofAll, ofNonzero } = main.shares.perLayer[i]!.shares;
      return [
        layer,
        formatCount(parameters),
        ...objectives.flatMap(({ layers, sampling }) => [
          formatNumber(layers[i]!.total),
          ...(sampling ? [plusMinus(sampling.layers[i]!)] : []),
        ]),
        formatShare(change === 0 ? null : total / change),
        formatShare(ofAll.helping),
        formatShare(ofAll.zero),
        formatShare(ofNonzero.helping),
        ...(certainty
          ? [formatShare(certainty.perLayer[i]!.share), formatNumber(certainty.perLayer[i]!.error)]
          : []),
      ];
    }),
  });
}

/** `fc1, neuron 17`, or `fc1.weight[17, 403]`. */
const placeOf = ({ layer, tensor, index }: Extreme): string =>
  tensor === null ? `${layer}, neuron ${index[0]!}` : `${tensor}[${index.join(', ')}]`;

/** Two tables: those of a kind that helped most, and those that hurt most. */
function extremePair(kind: string, { helped, hurt }: Extremes, { objectives, summary }: RunAnalysis): string {
  const { lossChange, balance } = objectives[0]!.conservation;
  const compared = balance !== 'unbalanced' && lossChange !== 0;
  const table = (verb: string, rows: readonly Extreme[]): string => {
    const name = `${kind} that ${verb} most`;
    if (rows.length === 0) return `<div><h3>${name}</h3><p>None ${verb} over the whole run.</p></div>`;
    const content = renderTable({
      name,
      caption: '',
      head: [kind.toLowerCase(), `total (${summary.unit})`, ...(compared ? ['of the loss change'] : [])],
      rows: rows.map((row) => [
        placeOf(row),
        formatNumber(row.total),
        ...(compared ? [formatPercent((100 * row.total) / lossChange)] : []),
      ]),
    });
    return `<div><h3>${name}</h3>${content}</div>`;
  };
  return `<div class="pair">${table('helped', helped)}${table('hurt', hurt)}</div>`;
}

/** Neurons and parameters whose totals stand out; null where neither were kept. */
export function extremeTables(analysis: RunAnalysis): string | null {
  const { neurons, parameters } = analysis.objectives[0] ?? {};
  if (!neurons && !parameters) return null;
  const about =
    analysis.objectives.length > 1 ? ` Of the ${objectiveLabel(analysis.objectives[0]!)} loss.` : '';
  return [
    `<p class="muted">${escapeMarkup(`Sums of allocations over all ${stepOf(analysis.summary)}s. Neurons (of convolutions: output channels) are counted from 0 within their layer; indices of parameters are those of the array of that name, from 0.${about}`)}</p>`,
    ...(neurons ? [extremePair('Neurons', neurons, analysis)] : []),
    ...(parameters ? [extremePair('Parameters', parameters, analysis)] : []),
  ].join('\n');
}

/** What was decided about the user's files; null where nothing was open. */
export function readingTable(readings: readonly Reading[]): string | null {
  if (readings.length === 0) return null;
  return renderTable({
    name: 'How files were read',
    caption:
      'What the files left open, what was decided, and what showed it. A wrong decision makes all numbers wrong.',
    head: ['about', 'decision', 'because'],
    rows: readings.map(({ about, decision, evidence, warning }) => [
      about,
      `${warning ? 'Check: ' : ''}${decision}`,
      evidence,
    ]),
    prose: true,
  });
}

/** What defines the run, as the caller states it; null without facts. */
export function factsTable(facts: readonly (readonly [string, string])[]): string | null {
  if (facts.length === 0) return null;
  return renderTable({
    name: 'Settings of the run',
    caption: 'Two runs are comparable when these agree.',
    head: ['setting', 'value'],
    rows: facts,
    prose: true,
  });
}
