/** Offers bytes to the user as a file. */
export function saveBlob(name: string, blob: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => { URL.revokeObjectURL(link.href); }, 10_000); // prettier-ignore
}

export function saveCsv(name: string, text: string): void {
  saveBlob(`${name}.csv`, new Blob([text], { type: 'text/csv' }));
}

/** A drawing as a file of its own: with its background and the colours of the theme in it. */
function standalone(svg: SVGSVGElement): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const style = getComputedStyle(svg);
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  copy.style.color = style.color;
  copy.style.background = getComputedStyle(document.documentElement).getPropertyValue('--panel');
  copy.style.fontFamily = style.fontFamily;
  return new XMLSerializer().serializeToString(copy);
}

export function saveSvg(name: string, svg: SVGSVGElement): void {
  saveBlob(`${name}.svg`, new Blob([standalone(svg)], { type: 'image/svg+xml' }));
}

/** A canvas as a drawing that holds its pixels, for those who want one kind of file for all. */
export function svgOf(canvas: HTMLCanvasElement): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const image = document.createElementNS('http://www.w3.org/2000/svg', 'image');
  for (const element of [svg, image]) {
    element.setAttribute('width', String(canvas.width));
    element.setAttribute('height', String(canvas.height));
  }
  image.setAttribute('href', canvas.toDataURL());
  image.setAttribute('style', 'image-rendering: pixelated');
  svg.append(image);
  return svg;
}

/** Saves a drawing or canvas as PNG, drawings at twice their size. */
export async function savePng(name: string, from: SVGSVGElement | HTMLCanvasElement | null): Promise<void> {
  if (from === null) return;
  const canvas = from instanceof HTMLCanvasElement ? from : await rasterised(from);
  canvas.toBlob((blob) => {
    if (blob) saveBlob(`${name}.png`, blob);
  });
}

async function rasterised(svg: SVGSVGElement): Promise<HTMLCanvasElement> {
  const { width, height } = svg.getBoundingClientRect();
  const image = new Image(width, height);
  const address = URL.createObjectURL(new Blob([standalone(svg)], { type: 'image/svg+xml' }));
  image.src = address;
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [2 * width, 2 * height];
  canvas.getContext('2d')!.drawImage(image, 0, 0, 2 * width, 2 * height);
  URL.revokeObjectURL(address);
  return canvas;
}

/** Rows under a header as comma-separated values; text that needs it is quoted. */
export function csvOf(header: readonly string[], rows: Iterable<readonly (string | number)[]>): string {
  const cell = (value: string | number) =>
    typeof value === 'number' || !/[",\n]/.test(value) ? String(value) : `"${value.replaceAll('"', '""')}"`;
  return [header, ...rows].map((row) => row.map(cell).join(',')).join('\n') + '\n';
}
