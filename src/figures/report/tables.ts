import type { RunAnalysis } from '../../analysis/index.js';
import { errorColumns, errorDefinition, errorRows, paperNote } from '../error-rows.js';
import { formatCount, formatNumber, formatShare } from '../format.js';
import { escapeMarkup } from '../text.js';

interface Table {
  /** For screen readers. */
  readonly name: string;
  readonly caption: string;
  /** The first names the rows. */
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Cells are prose, not numbers. */
  readonly prose?: boolean;
}

function renderRow([name, ...cells]: readonly string[]): string {
  const rest = cells.map((cell) => `<td>${escapeMarkup(cell)}</td>`).join('');
  return `<tr><th scope="row">${escapeMarkup(name!)}</th>${rest}</tr>`;
}

function renderTable({ name, caption, head, rows, prose = false }: Table): string {
  const heads = head.map((cell) => `<th scope="col">${escapeMarkup(cell)}</th>`).join('');
  const body = rows.map(renderRow).join('\n');
  return `<figure class="table"><div class="${prose ? 'scroll prose' : 'scroll'}" tabindex="0" role="region" aria-label="${escapeMarkup(name)}"><table aria-label="${escapeMarkup(name)}">
<thead><tr>${heads}</tr></thead>
<tbody>
${body}
</tbody></table></div><figcaption>${escapeMarkup(caption)}</figcaption></figure>`;
}

/** This run's quadrature errors beside those of the paper's Table S1. */
export function errorTable(analysis: RunAnalysis): string {
  const { total, mean, worst, over } = errorColumns(analysis.summary.unit);
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
  const change = main.conservation.lossChange;
  const about = objectives.length > 1 ? ` (${main.name})` : '';
  return renderTable({
    name: 'Layers in numbers',
    caption: `Totals over the run in ${summary.unit} (negative helped). Shares count entries of all iterations.`,
    head: [
      'layer',
      'parameters',
      ...objectives.map(({ name }) => `${name} total`),
      `of the loss change${about}`,
      `helping, of all${about}`,
      `exactly zero, of all${about}`,
      `helping, of those not zero${about}`,
    ],
    rows: main.layers.map(({ layer, parameters, total }, i) => {
      const { ofAll, ofNonzero } = main.shares.perLayer[i]!.shares;
      return [
        layer,
        formatCount(parameters),
        ...objectives.map(({ layers }) => formatNumber(layers[i]!.total)),
        formatShare(change === 0 ? null : total / change),
        formatShare(ofAll.helping),
        formatShare(ofAll.zero),
        formatShare(ofNonzero.helping),
      ];
    }),
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
