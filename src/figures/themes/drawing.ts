import type { ThemeAnalyses, ThemeName } from '../../analysis/index.js';
import type { Canvas, Figure } from '../plots/canvas.js';
import type { LayerSelection } from '../plots/layer-rows.js';

/** What a figure shows, as numbers: its CSV file. */
export interface DataTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** A cell that a spreadsheet reads as it is: text is quoted where it must be, and never begins a formula. */
function csvCell(cell: string | number | null): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const text = /^[=+@\t\r-]/.test(cell) ? `'${cell}` : cell;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Lines of comma-separated values, names of columns first; numbers in full precision, nothing where there is none. */
export function csvText({ columns, rows }: DataTable): string {
  return [columns, ...rows].map((row) => `${row.map(csvCell).join(',')}\n`).join('');
}

/** A figure of a theme, with its numbers. */
export interface ThemeDrawing {
  /** Fit for a file. */
  readonly name: string;
  readonly theme: ThemeName;
  /** Null where the run did not keep what it needs, as `draw`. */
  readonly data: (analyses: ThemeAnalyses) => DataTable | null;
  /** Its caption says in two sentences how to read it and what the paper found. */
  readonly draw: (canvas: Canvas, analyses: ThemeAnalyses) => Figure | null;
}

/** Plot's symbols that tell series apart, with their outlines as path data for legends. */
export const markers = {
  circle: 'M4,0A4,4,0,1,1,-4,0A4,4,0,1,1,4,0Z',
  square: 'M-3.5,-3.5h7v7h-7Z',
  triangle: 'M0,-5L4.5,3.5L-4.5,3.5Z',
  diamond2: 'M0,-5L5,0L0,5L-5,0Z',
} as const;

/** Says in a caption, where not all layers have rows, how many do and which; begins with a space. */
export function rowsNote({ shown, others }: LayerSelection, which: string): string {
  if (others.length === 0) return '';
  return ` Shown: ${shown.length} of ${shown.length + others.length} layers, ${which}; the numbers of all are in its CSV file (lca analyze --out).`;
}

/** Says the same in the picture; null where all layers have rows. */
export const rowsShown = ({ shown, others }: LayerSelection, which: string): string | null =>
  others.length === 0
    ? null
    : `Only ${shown.length} of ${shown.length + others.length} layers are shown: ${which}.`;

/** Says in the picture that it has the first of more things; null where it has all. */
export const firstShown = (count: number, of: number, things: string): string | null =>
  count < of ? `Only the first ${count} of ${of} ${things} are shown.` : null;

/** Horizontal axis from 0 to 100 %. */
export const percentAxis = (label: string) =>
  ({ label, labelAnchor: 'center', labelArrow: 'none', ticks: 5, domain: [0, 100] }) as const;
