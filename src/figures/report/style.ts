import { cssVariables } from '../theme.js';

/** Style sheet of the report: follows the reader's colour scheme, one column on a telephone, black on white on paper. */
export const styleSheet = `
:root { color-scheme: light dark; ${cssVariables('light')} --lca-panel: #f5f7f9; --lca-line: #dde2e8; }
@media (prefers-color-scheme: dark) { :root { ${cssVariables('dark')} --lca-panel: #1a2029; --lca-line: #2c3441; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--lca-background); color: var(--lca-text); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main, header, footer { max-width: 1080px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 28px; }
header p { max-width: none; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 40px 0 12px; }
h3 { font-size: 1rem; margin: 0 0 8px; }
p { margin: 8px 0; max-width: 75ch; }
.muted, .headlines dd.note, figcaption { color: var(--lca-muted); }
.banner { border: 2px solid; border-left-width: 10px; border-radius: 6px; padding: 12px 16px; margin: 20px 0; background: var(--lca-panel); }
.banner p { max-width: none; margin: 4px 0 0; color: var(--lca-text); }
.banner strong { font-size: 1.15rem; }
.balanced { border-color: var(--lca-good); color: var(--lca-good); }
.unbalanced { border-color: var(--lca-bad); color: var(--lca-bad); border-width: 4px 4px 4px 14px; }
.unbalanced strong { font-size: 1.5rem; }
.undetermined { border-color: var(--lca-muted); color: var(--lca-muted); }
.headlines { display: grid; grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)); gap: 12px; margin: 0; }
.headlines div { background: var(--lca-panel); border-radius: 6px; padding: 12px 14px; }
.headlines dt { font-size: .85rem; color: var(--lca-muted); }
.headlines dd { margin: 0; }
.headlines dd.value { font-size: 1.2rem; font-weight: 600; line-height: 1.3; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.headlines dd.note { font-size: .85rem; }
.figures { columns: 400px 2; column-gap: 32px; margin-top: 24px; }
figure { margin: 0 0 28px; break-inside: avoid; }
figure svg { display: block; width: 100%; height: auto; max-width: 560px; }
figcaption { font-size: .9rem; line-height: 1.45; margin-top: 4px; max-width: 560px; }
.table figcaption { margin-top: 8px; max-width: 75ch; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 6px 14px 6px 0; border-bottom: 1px solid var(--lca-line); vertical-align: top; }
thead th { vertical-align: bottom; font-weight: 600; max-width: 15ch; }
th:first-child, .prose th, .prose td { text-align: left; }
td { white-space: nowrap; }
tbody th { font-weight: 500; overflow-wrap: break-word; min-width: 13ch; max-width: 34ch; }
.prose td { white-space: normal; overflow-wrap: anywhere; }
footer { padding-top: 24px; padding-bottom: 40px; font-size: .85rem; color: var(--lca-muted); }
@media (max-width: 560px) { main, header, footer { padding-left: 14px; padding-right: 14px; } .headlines { grid-template-columns: 1fr 1fr; } .headlines dd.value { font-size: 1.05rem; } th, td { padding-right: 10px; } }
@media print {
  :root { color-scheme: light; ${cssVariables('light')} --lca-panel: #ffffff; --lca-line: #cccccc; }
  body { font-size: 11pt; }
  main, header, footer { max-width: none; padding: 0; }
  .figures { columns: 2; column-gap: 20px; }
  .headlines div { border: 1px solid var(--lca-line); }
  table, .banner { break-inside: avoid; }
  svg, .banner { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`.trim();
