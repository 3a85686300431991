import { formatNumber } from '../../src/figures/format.js';

/** A number as the document has it; `–` for none. */
export const number = (value: number | null | undefined, digits = 3): string =>
  value === null || value === undefined || Number.isNaN(value) ? '–' : formatNumber(value, digits);

/** A share as a percentage. */
export const percent = (share: number | null | undefined, digits = 1): string =>
  share === null || share === undefined ? '–' : `${(100 * share).toFixed(digits).replace('-', '−')} %`;

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Layers with their totals, those that hurt in bold type. */
export const layerWords = (layers: readonly { readonly layer: string; readonly total: number }[]): string =>
  layers.map(({ layer, total }) => (total > 0 ? `**${layer} +${number(total)}**` : `${layer} ${number(total)}`)).join(', '); // prettier-ignore
