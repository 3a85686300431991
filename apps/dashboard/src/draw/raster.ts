import { lookUpTable, placeInScale, type ScaleKind } from './colours';

export interface RasterStyle {
  readonly range: number;
  readonly kind: ScaleKind;
  readonly stops: readonly string[];
}

/**
 * Draws a table [rows, T] of values, time across, as an image of the canvas's own size. Where a pixel covers several segments or rows it shows
 * their mean; none is left out.
 */
export function drawRaster(
  canvas: HTMLCanvasElement,
  rows: number,
  T: number,
  at: (row: number, t: number) => number,
  { range, kind, stops }: RasterStyle,
): void {
  const { width, height } = canvas;
  const context = canvas.getContext('2d')!;
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const table = new Uint32Array(lookUpTable(stops, 512).buffer);
  const line = new Float64Array(width);
  for (let y = 0; y < height; y++) {
    const [first, last] = [
      Math.floor((y * rows) / height),
      Math.max(Math.floor((y * rows) / height) + 1, Math.floor(((y + 1) * rows) / height)),
    ];
    line.fill(0);
    for (let x = 0; x < width; x++) {
      const from = Math.floor((x * T) / width);
      const to = Math.max(from + 1, Math.floor(((x + 1) * T) / width));
      let total = 0;
      for (let row = first; row < last; row++) for (let t = from; t < to; t++) total += at(row, t);
      const place = placeInScale(total / ((last - first) * (to - from)), range, kind);
      pixels[y * width + x] = table[Math.round((place + 1) * 255.5)]!;
    }
  }
  context.putImageData(image, 0, 0);
}
