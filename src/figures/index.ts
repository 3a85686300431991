export { drawFigures } from './plots/figures.js';
export type { Figure } from './plots/canvas.js';
export { renderReport } from './report/report.js';
export type { ReportInput } from './report/report.js';
export type { Theme } from './theme.js';
export { terminalSummary } from './terminal/summary.js';
export type { TerminalOptions } from './terminal/summary.js';
export { csvText, type DataTable } from './themes/drawing.js';
export { drawLayersOverRuns, layersOverRunsData } from './themes/layers.js';
export { layersOverRunsTable } from './themes/tables/layers.js';
export { type ReadTable, tableText } from './themes/tables/table.js';
export { overviewTable, themesText } from './themes/tables/tables.js';
export { drawThemes, drawToy, themeData, type ThemeSection } from './themes/themes.js';
export {
  comparabilityTable,
  comparisonData,
  comparisonTables,
  drawComparison,
} from './comparisons/compare.js';
export { drawSweep } from './comparisons/sweep.js';
export { sweepData, sweepTables } from './comparisons/sweep-tables.js';
export { drawPruning, pruningData, pruningTables } from './comparisons/prune.js';
