import { cssVariables } from '../theme.js';

/**
 * Style sheet of the report: follows the reader's colour scheme; one column on a telephone, three on a wide screen, where text grows
 * too; black on white on paper.
 */
export const styleSheet = `
:root { color-scheme: light dark; ${cssVariables('light')} --lca-panel: #f5f7f9; --lca-line: #dde2e8; }
@media (prefers-color-scheme: dark) { :root { ${cssVariables('dark')} --lca-panel: #1a2029; --lca-line: #2c3441; } }
* { box-sizing: border-box; }
html { font-size: 16px; -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--lca-background); color: var(--lca-text); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main, header, footer { max-width: 67.5rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 1.75rem; }
header p { max-width: none; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; break-after: avoid; }
h3 { font-size: 1rem; margin: 0 0 .5rem; break-after: avoid; }
p, li { max-width: 75ch; overflow-wrap: anywhere; }
p { margin: .5rem 0; }
ul { margin: .5rem 0; padding-left: 1.25rem; }
li { margin: .25rem 0; }
.labels { list-style: none; display: flex; flex-wrap: wrap; gap: .4rem; margin: .6rem 0 0; padding: 0; }
.labels li { font-size: .85rem; margin: 0; padding: .1rem .6rem; border: 1px solid var(--lca-line); border-radius: 1rem; background: var(--lca-panel); }
.muted, .headlines dd.note, figcaption { color: var(--lca-muted); }
.banner { border: 2px solid; border-left-width: 10px; border-radius: 6px; padding: .75rem 1rem; margin: 1.25rem 0; background: var(--lca-panel); }
.banner p, .banner li { max-width: none; margin: .25rem 0 0; color: var(--lca-text); }
.banner strong { font-size: 1.15rem; }
.balanced { border-color: var(--lca-good); color: var(--lca-good); }
.unbalanced { border-color: var(--lca-bad); color: var(--lca-bad); border-width: 4px 4px 4px 14px; }
.unbalanced strong { font-size: 1.5rem; }
.undetermined { border-color: var(--lca-muted); color: var(--lca-muted); }
.doubts { border-color: var(--lca-hurting); color: var(--lca-hurting); }
.headlines { display: flex; flex-wrap: wrap; gap: .75rem; margin: 0; }
.headlines div { flex: 1 1 18.5rem; min-width: 0; background: var(--lca-panel); border-radius: 6px; padding: .75rem .9rem; }
.headlines dt { font-size: .85rem; color: var(--lca-muted); }
.headlines dd { margin: 0; }
.headlines dd.value { font-size: 1.2rem; font-weight: 600; line-height: 1.3; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.headlines dd.note { font-size: .85rem; }
.figures { columns: 25rem 2; column-gap: 2rem; margin-top: 1.5rem; }
figure { margin: 0 0 1.75rem; break-inside: avoid; }
figure svg { display: block; width: 100%; height: auto; max-width: 32rem; }
figcaption { font-size: .9rem; line-height: 1.45; margin-top: .25rem; max-width: 32rem; overflow-wrap: anywhere; }
.table { break-inside: auto; }
.table figcaption { margin-top: .5rem; max-width: 75ch; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); column-gap: 2rem; }
.pair > div { min-width: 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
tr { break-inside: avoid; }
th, td { text-align: right; padding: .4rem .9rem .4rem 0; border-bottom: 1px solid var(--lca-line); vertical-align: top; }
thead th { vertical-align: bottom; font-weight: 600; max-width: 15ch; }
th:first-child, .prose th, .prose td { text-align: left; }
td { white-space: nowrap; }
tbody th { font-weight: 500; overflow-wrap: anywhere; min-width: 13ch; max-width: 34ch; }
.prose td { white-space: normal; overflow-wrap: anywhere; min-width: 12ch; }
.glossary div { display: grid; grid-template-columns: minmax(8rem, 14rem) 1fr; gap: 1rem; padding: .4rem 0; border-bottom: 1px solid var(--lca-line); }
.glossary dt { font-weight: 500; }
.glossary dt, .glossary dd { overflow-wrap: anywhere; min-width: 0; }
.glossary dd { margin: 0; max-width: 75ch; }
footer { padding-top: 1.5rem; padding-bottom: 2.5rem; font-size: .85rem; color: var(--lca-muted); }
@media (max-width: 35rem) {
  main, header, footer { padding-left: .75rem; padding-right: .75rem; }
  .headlines div { flex-basis: 9.5rem; }
  .headlines dd.value { font-size: 1.05rem; }
  th, td { padding-right: .6rem; }
  .glossary div { display: block; }
}
@media (min-width: 106rem) {
  main, header, footer { max-width: 102rem; }
  .figures { columns: 25rem 3; }
  .headlines div { flex-basis: 15rem; }
}
@media (min-width: 2600px) { html { font-size: 22px; } }
@media (min-width: 3400px) { html { font-size: 30px; } }
@page { margin: 14mm; }
@media print {
  :root { color-scheme: light; ${cssVariables('light')} --lca-panel: #ffffff; --lca-line: #cccccc; }
  html { font-size: 10.5pt; }
  main, header, footer { max-width: none; padding: 0; }
  .figures { columns: 2; column-gap: 20px; }
  .headlines div { border: 1px solid var(--lca-line); flex-basis: 12rem; }
  .banner, .headlines div, .glossary div { break-inside: avoid; }
  .scroll { overflow: visible; }
  table { font-size: 8.5pt; }
  th, td { padding: 3px 8px 3px 0; }
  tbody th { max-width: 28ch; }
  .glossary { font-size: .85rem; }
  .pair { grid-template-columns: 1fr 1fr; }
  svg, .banner { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`.trim();
