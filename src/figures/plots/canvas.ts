import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { formatNumber } from '../format.js';
import type { LineStyle } from '../objectives.js';
import { escapeMarkup, estimateWidth } from '../text.js';
import { palettes } from '../theme.js';
import type { Palette, Theme } from '../theme.js';

/** A finished figure. */
export interface Figure {
  /** Short name, fit for a file. */
  readonly name: string;
  readonly title: string;
  /** One plain sentence that says what is seen. */
  readonly caption: string;
  /** One SVG element; has no ids and refers to nothing outside itself but the page's colours. */
  readonly svg: string;
}

/** One key of a legend. */
export interface LegendEntry {
  readonly label: string;
  readonly colour: string;
  /** `band`: a wide, faint line. */
  readonly kind: 'area' | 'line' | 'band' | 'symbol';
  /** SVG's `stroke-dasharray` of a line; default: solid. */
  readonly dash?: string | undefined;
  /** Outline of a symbol around (0, 0), as SVG path data, and whether it is filled with its colour. */
  readonly path?: string;
  readonly filled?: boolean;
}

/** What a figure is made of; panels are stacked. */
export interface FigureParts {
  readonly name: string;
  readonly title: string;
  readonly caption: string;
  readonly legend: readonly LegendEntry[];
  readonly panels: readonly Panel[];
  /** What a stranger to the caption must know, such as what is left out: printed below the panels of stand-alone files. Null: nothing. */
  readonly note?: string | null;
}

/** One drawn plot. */
export interface Panel {
  readonly height: number;
  readonly svg: string;
  /** Of a plot whose left margin follows its tick labels. */
  readonly left?: {
    readonly margin: number;
    /** The same plot with another margin, so that stacked panels stand on one line. */
    readonly redrawn: (margin: number) => string;
  };
}

export interface PanelOptions extends Plot.PlotOptions {
  height: number;
}

/** Where figures are drawn: a document without a browser, and a theme. */
export interface Canvas {
  readonly palette: Palette;
  readonly panel: (options: PanelOptions) => Panel;
  readonly figure: (parts: FigureParts) => Figure;
}

/** Pixels; on a telephone a figure is shown at about 0.8 of its size, on a desktop two lie side by side. */
export const figureWidth = 440;
export const fontSize = 14;
const titleHeight = 26;
const legendRow = 20;
const noteRow = 16;
/** Of a wide, faint line in a legend. */
export const bandOpacity = 0.3;

/** A document without a browser. */
type PageDocument = NonNullable<Plot.PlotOptions['document']>;

type Drawn = ReturnType<typeof Plot.plot>;

/** Pixels left of the frame, where tick labels need no more, and at most. */
const [usualMargin, widestMargin] = [62, 0.45 * figureWidth];
/** Pixels right of the frame, where the last tick label needs no more. */
const usualRight = 20;
/** Of a tick and of the air between it and its label; what is added to it where widths are only estimated. */
const [tickRoom, spare] = [10, 4];

function plot(document: PageDocument, options: PanelOptions): Drawn {
  return Plot.plot({
    document,
    width: figureWidth,
    marginLeft: usualMargin,
    marginRight: usualRight,
    marginTop: 26,
    marginBottom: 42,
    className: 'lca-plot',
    ...options,
  });
}

/**
 * Room around the only value of an axis, and that value as its only tick: without room Plot spreads bars of length zero over the whole
 * frame and prints the tick to six decimals. Undefined where the axis has more than one value.
 */
function roomAround(drawn: Drawn, axis: 'x' | 'y'): Plot.ScaleOptions | undefined {
  const scale = drawn.scale(axis);
  const [low, high] = scale?.type === 'linear' ? (scale.domain as unknown[]) : [];
  if (typeof low !== 'number' || low !== high) return undefined;
  const room = Math.abs(low) || 1;
  return {
    domain: [low - room, low + room],
    nice: false,
    ticks: [low],
    tickFormat: (value: number) => formatNumber(value),
  };
}

/** Pixels that the tick labels of the vertical axis need left of the frame. */
function marginOf(drawn: Drawn): number {
  const labels = [...drawn.querySelectorAll('[aria-label="y-axis tick label"] text')];
  const widest = Math.max(0, ...labels.map(({ textContent }) => estimateWidth(textContent, fontSize)));
  const needed = widest + tickRoom;
  return needed <= usualMargin ? usualMargin : Math.min(widestMargin, Math.ceil(needed + spare));
}

/** Where the labels of the horizontal axis begin and end, from the left. */
function labelsAlong(drawn: Drawn): { from: number; to: number }[] {
  const labels = [...drawn.querySelectorAll('[aria-label="x-axis tick label"] text')].map((label) => {
    const [, x] = /translate\(([\d.]+)/.exec(label.getAttribute('transform') ?? '') ?? [];
    const half = estimateWidth(label.textContent, fontSize) / 2;
    return { from: Number(x ?? 0) - half, to: Number(x ?? 0) + half };
  });
  return labels.sort((a, b) => a.from - b.from);
}

/** Pixels right of the frame that hold what the last label of the horizontal axis has beyond it. */
function rightOf(drawn: Drawn): number {
  const ends = labelsAlong(drawn).map(({ to }) => to);
  return usualRight + Math.max(0, Math.ceil(Math.max(0, ...ends) - figureWidth));
}

/** Whether labels of the horizontal axis cover each other, as beside long names. */
const areCrowded = (drawn: Drawn): boolean =>
  labelsAlong(drawn).some(({ from }, i, all) => i > 0 && from < all[i - 1]!.to);

function markupOf(drawn: Drawn): string {
  for (const style of drawn.querySelectorAll('style')) style.remove();
  // The document without a browser writes attributes as HTML: an ampersand or angle bracket of a name would end the file for readers of XML.
  for (const part of drawn.querySelectorAll('[aria-description]')) {
    const text = part.getAttribute('aria-description')!;
    part.setAttribute('aria-description', escapeMarkup(text).replaceAll('&quot;', '"'));
  }
  drawn.removeAttribute('class');
  drawn.setAttribute('overflow', 'visible');
  drawn.setAttribute('font-size', String(fontSize));
  return drawn.outerHTML;
}

function drawPanel(document: PageDocument, given: PanelOptions): Panel {
  let options = given;
  let drawn = plot(document, options);
  const [x, y] = [roomAround(drawn, 'x'), roomAround(drawn, 'y')];
  if (x || y) {
    options = { ...given, x: { ...given.x, ...x }, y: { ...given.y, ...y } };
    drawn = plot(document, options);
  }
  for (let count = options.x?.ticks; typeof count === 'number' && count > 1 && areCrowded(drawn); count--) {
    options = { ...options, x: { ...options.x, ticks: count - 1 } };
    drawn = plot(document, options);
  }
  const marginRight = rightOf(drawn);
  if (options.width === undefined && options.marginRight === undefined && marginRight > usualRight) {
    options = { ...options, marginRight };
    drawn = plot(document, options);
  }
  const { height } = options;
  if (options.marginLeft !== undefined) return { height, svg: markupOf(drawn) };
  const redrawn = (marginLeft: number): string => markupOf(plot(document, { ...options, marginLeft }));
  const margin = marginOf(drawn);
  const svg = margin === usualMargin ? markupOf(drawn) : redrawn(margin);
  return { height, svg, left: { margin, redrawn } };
}

/** Key of a line, drawn as the line is. */
export const lineKey = (label: string, { stroke, strokeDasharray }: LineStyle): LegendEntry => ({
  label,
  colour: stroke,
  kind: 'line',
  dash: strokeDasharray,
});

function legendMark({ kind, colour, dash, path, filled = false }: LegendEntry, background: string): string {
  if (kind === 'area') return `<rect y="-9" width="18" height="10" rx="2" fill="${colour}"/>`;
  if (kind === 'symbol')
    return `<path transform="translate(9,-4)" d="${path!}" fill="${filled ? colour : background}" stroke="${colour}" stroke-width="1.75"/>`;
  const stroke = kind === 'band' ? `stroke-width="8" stroke-opacity="${bandOpacity}"` : 'stroke-width="2.5"';
  const dashes = dash === undefined ? '' : ` stroke-dasharray="${dash}"`;
  return `<line x2="20" y1="-4" y2="-4" stroke="${colour}" ${stroke}${dashes}/>`;
}

/** Lays keys out in rows that fit the width. */
function drawLegend(
  entries: readonly LegendEntry[],
  top: number,
  { background }: Palette,
): { svg: string; height: number } {
  let x = 0;
  let row = 0;
  const keys = entries.map((entry) => {
    const width = 26 + estimateWidth(entry.label, fontSize) + 14;
    if (x > 0 && x + width > figureWidth) {
      x = 0;
      row++;
    }
    const at = `translate(${x.toFixed(1)},${top + legendRow * row + 14})`;
    x += width;
    return `<g transform="${at}">${legendMark(entry, background)}<text x="26">${escapeMarkup(entry.label)}</text></g>`;
  });
  return { svg: keys.join(''), height: entries.length > 0 ? legendRow * (row + 1) + 2 : 0 };
}

/** Words in lines that fit the width. */
function drawNote(text: string, top: number, { muted }: Palette): { svg: string; height: number } {
  const size = fontSize - 2;
  const lines = [''];
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)!} ${word}`.trimStart();
    if (estimateWidth(longer, size) > figureWidth && lines.at(-1) !== '') lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  const placed = lines.map((line, i) => `<text y="${top + 14 + noteRow * i}">${escapeMarkup(line)}</text>`);
  return { svg: `<g font-size="${size}" fill="${muted}">${placed.join('')}</g>`, height: noteRow * lines.length + 4 };
} // prettier-ignore

/** Titles are drawn only in stand-alone files; a page has its own headings. */
function compose(theme: Theme, palette: Palette, parts: FigureParts): Figure {
  const { name, title, caption } = parts;
  const alone = theme !== 'page';
  const legend = drawLegend(parts.legend, alone ? titleHeight : 0, palette);
  let y = (alone ? titleHeight : 0) + legend.height;
  const widest = Math.max(...parts.panels.map(({ left }) => left?.margin ?? 0));
  const panels = parts.panels.map(({ height, svg, left }) => {
    const aligned = left && left.margin < widest ? left.redrawn(widest) : svg;
    // The picture's own label says what it shows; names of its pieces would be read out one by one, and may not stand on them.
    const placed = `<g aria-hidden="true" transform="translate(0,${y})">${aligned}</g>`;
    y += height;
    return placed;
  });
  const note = alone && parts.note ? drawNote(parts.note, y, palette) : { svg: '', height: 0 };
  y += note.height;
  const margin = alone ? 12 : 0;
  const [width, height] = [figureWidth + 2 * margin, y + 2 * margin];
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${-margin} ${-margin} ${width} ${height}" width="${width}" height="${height}" `,
    `role="img" aria-label="${escapeMarkup(`${title}${title.endsWith('?') ? '' : '.'} ${caption}`)}" font-family="system-ui, 'DejaVu Sans', sans-serif" `,
    `font-size="${fontSize}" fill="${palette.text}" color="${palette.text}">`,
    alone
      ? `<rect x="${-margin}" y="${-margin}" width="${width}" height="${height}" fill="${palette.background}"/>` +
        `<text y="15" font-size="15" font-weight="600">${escapeMarkup(title)}</text>`
      : '',
    legend.svg,
    ...panels,
    note.svg,
    '</svg>',
  ].join('');
  return { name, title, caption, svg };
}

/** A canvas with its own document. Drawing is deterministic: the same input gives the same bytes. */
export function createCanvas(theme: Theme): Canvas {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const palette = palettes[theme];
  return {
    palette,
    panel: (options) => drawPanel(document, options),
    figure: (parts) => compose(theme, palette, parts),
  };
}
