export { drawFigures } from './plots/figures.js';
export type { Figure } from './plots/canvas.js';
export { renderReport } from './report/report.js';
export type { ReportInput } from './report/report.js';
export type { Theme } from './theme.js';
export { terminalSummary } from './terminal/summary.js';
export type { TerminalOptions } from './terminal/summary.js';
