import type { RunAnalysis, ThemeAnalyses } from '../../analysis/index.js';
import type { Reading } from '../../formats/reading.js';
import { coverageSentences, leftOutSentences } from '../coverage.js';
import { extentOf, headlinesOf } from '../headlines.js';
import type { Figure } from '../plots/canvas.js';
import { drawFigures } from '../plots/figures.js';
import { samplingSentences } from '../sampling.js';
import { escapeMarkup, withUnits } from '../text.js';
import { drawThemes } from '../themes/themes.js';
import { verdictOf } from '../verdict.js';
import type { Verdict } from '../verdict.js';
import { styleSheet } from './style.js';
import { errorTable, extremeTables, factsTable, layerTable, readingTable } from './tables.js';
import { constantList, glossary, howToRead, stillThings, whySoManyHurt } from './words.js';

/** What a report is made of. All text is escaped. */
export interface ReportInput {
  readonly analysis: RunAnalysis;
  /** The paper's themes, each of which has a section; null or left out: none. */
  readonly themes?: ThemeAnalyses | null;
  /** Heading of the page, such as the run's or the preset's name. */
  readonly title: string;
  /** Stands below it: what the run is, its date, its tags. */
  readonly labels?: readonly string[];
  /** What defines the run: (name, value), in the order given. */
  readonly facts: readonly (readonly [string, string])[];
  /** What was decided about the user's files. */
  readonly readings?: readonly Reading[];
  /** What was frozen or held constant, in words. */
  readonly heldConstant?: readonly string[];
  /** Layers that it names already, so that they are not listed again as ones without allocations. */
  readonly frozenLayers?: readonly string[];
}

const prose = (text: string): string => escapeMarkup(withUnits(text));

/** A bad balance is announced to screen readers too. */
function banner({ balance, headline, details }: Verdict): string {
  const role = balance === 'unbalanced' ? 'alert' : 'status';
  const sign = { balanced: '✓ ', unbalanced: '⚠ ', undetermined: '' }[balance];
  const lines = details.map((line) => `<p>${prose(line)}</p>`).join('');
  return `<div class="banner ${balance}" role="${role}"><strong>${sign}${escapeMarkup(headline)}</strong>${lines}</div>`;
}

function headlines(analysis: RunAnalysis): string {
  const cards = headlinesOf(analysis).map(
    ({ label, value, note }) =>
      `<div><dt>${escapeMarkup(label)}</dt><dd class="value">${prose(value)}</dd><dd class="note">${prose(note)}</dd></div>`,
  );
  return cards.length > 0 ? `<dl class="headlines">\n${cards.join('\n')}\n</dl>` : '';
}

const renderFigure = ({ title, caption, svg }: Figure): string =>
  `<figure><h3>${escapeMarkup(title)}</h3>${svg}<figcaption>${prose(caption)}</figcaption></figure>`;

function section(heading: string, content: string | null): string {
  return content ? `<section><h2>${escapeMarkup(heading)}</h2>\n${content}\n</section>` : '';
}

/** What the user may not have meant stands where it cannot be missed. */
function doubts(readings: readonly Reading[]): string {
  const items = readings
    .filter(({ warning }) => warning)
    .map(
      ({ about, decision, evidence }) =>
        `<li><b>${escapeMarkup(about)}</b>: ${prose(`${decision} (${evidence})`)}</li>`,
    );
  if (items.length === 0) return '';
  return `<div class="banner doubts" role="note"><strong>Was this meant?</strong><ul>${items.join('')}</ul></div>`;
}

/** That it was measured on a sample, before any number of it. */
function sampleNotes(analysis: RunAnalysis): string {
  const sentences = analysis.objectives.map((objective) => samplingSentences(objective, analysis).join(' '));
  const items = sentences.filter((text) => text !== '').map((text) => `<li>${prose(text)}</li>`);
  if (items.length === 0) return '';
  return `<div class="banner doubts" role="note"><strong>Measured on a sample</strong><ul>${items.join('')}</ul></div>`;
}

function coverageSection({ coverage, summary }: RunAnalysis): string {
  return coverageSentences(coverage, summary.unit)
    .map((text) => `<p>${prose(text)}</p>`)
    .join('');
}

function whatHappened(analysis: RunAnalysis): string | null {
  const figures = drawFigures(analysis, { theme: 'page' });
  if (figures.length === 0) return null;
  return `<div class="muted">${howToRead(analysis.summary.unit)}</div>\n<div class="figures">\n${figures.map(renderFigure).join('\n')}\n</div>${accuracyNote(analysis)}`;
}

/** Why there is no accuracy; nothing where there is one. */
function accuracyNote({ accuracy }: RunAnalysis): string {
  return 'missing' in accuracy
    ? `<p class="muted">Accuracy is not shown: ${prose(accuracy.missing)}.</p>`
    : '';
}

/** A section for each theme that has figures, then what could not be said. */
function themeSections(themes: ThemeAnalyses | null): string {
  if (themes === null) return '';
  const sections = drawThemes(themes, 'page').map(({ heading, figures }) =>
    section(heading, `<div class="figures">\n${figures.map(renderFigure).join('\n')}\n</div>`),
  );
  const missing = themes.missing.map((text) => `<li>${prose(text)}</li>`).join('');
  return [...sections, missing && section('What this run cannot tell', `<ul>${missing}</ul>`)].join('\n');
}

/** What did not move, each thing once. */
function constantThings({ analysis, heldConstant = [], frozenLayers = [] }: ReportInput): string[] {
  return [...stillThings(analysis, heldConstant, frozenLayers), ...leftOutSentences(analysis.coverage)];
}

function body(input: ReportInput): string {
  const { analysis, themes = null, facts, readings = [] } = input;
  const measured = analysis.summary.segments > 0;
  return [
    banner(verdictOf(analysis)),
    doubts(readings),
    sampleNotes(analysis),
    headlines(analysis),
    section('What happened', whatHappened(analysis)),
    section('Who helped and who hurt most', extremeTables(analysis)),
    section('Why do so many parameters hurt?', whySoManyHurt(analysis)),
    themeSections(themes),
    section('Does it add up?', measured ? errorTable(analysis) : null),
    section('Layers in numbers', layerTable(analysis)),
    section('How your files were read', readingTable(readings)),
    section('What the ledger accounts for', measured ? coverageSection(analysis) : null),
    section('What was held constant', measured ? constantList(constantThings(input)) : null),
    section('What was measured', factsTable(facts)),
    section('Words used here', measured ? glossary(analysis) : null),
  ].join('\n');
}

function header({ analysis, title, labels = [] }: ReportInput): string {
  const tags = labels.map((label) => `<li>${escapeMarkup(label)}</li>`).join('');
  return `<header><h1>${escapeMarkup(title)}</h1>${tags && `<ul class="labels">${tags}</ul>`}<p class="muted">${escapeMarkup(extentOf(analysis))}</p></header>`;
}

/**
 * One self-contained HTML page: no script, no request, inline SVG and CSS, light and dark. Deterministic: the same input gives the
 * same bytes, so a date belongs into `facts`.
 */
export function renderReport(input: ReportInput): string {
  const title = escapeMarkup(input.title);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title} – Loss Change Allocation</title>
<style>
${styleSheet}
</style>
</head>
<body>
${header(input)}
<main>
${body(input)}
</main>
<footer>Lossledger; docs/READING.md in its package explains this page at length. Method: Lan, Liu, Zhou and Yosinski, “LCA: Loss Change Allocation for Neural Network Training”, NeurIPS 2019.</footer>
</body>
</html>
`;
}
