import type { RunAnalysis } from '../../analysis/index.js';
import { extentOf, headlinesOf } from '../headlines.js';
import type { Figure } from '../plots/canvas.js';
import { drawFigures } from '../plots/figures.js';
import { escapeMarkup, withUnits } from '../text.js';
import { verdictOf } from '../verdict.js';
import type { Verdict } from '../verdict.js';
import { styleSheet } from './style.js';
import { errorTable, factsTable, layerTable } from './tables.js';

/** What a report is made of. All text is escaped. */
export interface ReportInput {
  readonly analysis: RunAnalysis;
  /** Heading of the page, such as the run's or the preset's name. */
  readonly title: string;
  /** What defines the run: (name, value), in the order given. */
  readonly facts: readonly (readonly [string, string])[];
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
      `<div><dt>${escapeMarkup(label)}</dt><dd class="value">${escapeMarkup(value)}</dd><dd class="note">${prose(note)}</dd></div>`,
  );
  return cards.length > 0 ? `<dl class="headlines">\n${cards.join('\n')}\n</dl>` : '';
}

const renderFigure = ({ title, caption, svg }: Figure): string =>
  `<figure><h3>${escapeMarkup(title)}</h3>${svg}<figcaption>${prose(caption)}</figcaption></figure>`;

function section(heading: string, content: string | null): string {
  return content ? `<section><h2>${escapeMarkup(heading)}</h2>\n${content}\n</section>` : '';
}

const howToRead = (unit: string): string =>
  'Every change of the loss is shared out among the parameters that caused it. A negative allocation lowered the loss: that parameter ' +
  '“helped”. A positive one raised it: it “hurt”. Allocations have the unit of the loss (' +
  `${unit}), so they add up to the change of the loss, and what ` +
  'is missing is stated. Shares are stated twice, because parameters that cannot move the loss at all, such as those of dead pixels, are exactly zero.';

function body({ analysis, facts }: ReportInput): string {
  const figures = drawFigures(analysis, { theme: 'page' });
  return [
    banner(verdictOf(analysis)),
    headlines(analysis),
    section(
      'What happened',
      figures.length > 0
        ? `<p class="muted">${escapeMarkup(howToRead(analysis.summary.unit))}</p>\n<div class="figures">\n${figures.map(renderFigure).join('\n')}\n</div>`
        : null,
    ),
    section('Does it add up?', analysis.summary.segments > 0 ? errorTable(analysis) : null),
    section('Layers in numbers', layerTable(analysis)),
    section('What was measured', factsTable(facts)),
  ].join('\n');
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
<header><h1>${title}</h1><p class="muted">${escapeMarkup(extentOf(input.analysis))}</p></header>
<main>
${body(input)}
</main>
<footer>Lossledger. Method: Lan, Liu, Zhou and Yosinski, “LCA: Loss Change Allocation for Neural Network Training”, NeurIPS 2019.</footer>
</body>
</html>
`;
}
