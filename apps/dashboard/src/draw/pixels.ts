import { lookUpTable, placeInScale } from './colours';
import type { HeatStyle, Shape, View } from './view';

/**
 * Colours of pixels that cover several values each: every value falls into one pixel, by its middle, and a pixel shows the mean of its own, or
 * the strongest of them. None is left out, however many there are.
 */
export class PixelColours {
  #view: View | null = null;
  /** Of each pixel [height × width], from the top: how many values fall into it. */
  #counts = new Float32Array(0);
  #numbers = new Float32Array(0);
  #colours = new Uint32Array(0);
  #stops: readonly string[] = [];
  #table: Uint32Array = new Uint32Array(0);

  /** Bytes of RGBA [height, width, 4] from the bottom, as WebGL counts; transparent where no value is. The next call overwrites them. */
  of(view: View, shapes: readonly Shape[], values: ArrayLike<number>, style: HeatStyle): Uint8Array {
    if (this.#view !== view) this.#count(view, shapes);
    this.#numbers.fill(0);
    const { strongest } = style;
    for (const shape of shapes) {
      if (strongest) keepStrongest(view, shape, values, this.#numbers);
      else addUp(view, shape, values, this.#numbers);
    }
    this.#colour(view, style);
    return new Uint8Array(this.#colours.buffer);
  }

  #count(view: View, shapes: readonly Shape[]): void {
    const size = view.width * view.height;
    if (this.#counts.length !== size)
      [this.#counts, this.#numbers, this.#colours] = [new Float32Array(size), new Float32Array(size), new Uint32Array(size)]; // prettier-ignore
    this.#counts.fill(0);
    for (const shape of shapes) addUp(view, shape, null, this.#counts);
    this.#view = view;
  }

  #colour({ width, height }: View, { range, kind, stops, strongest }: HeatStyle): void {
    if (stops !== this.#stops)
      [this.#stops, this.#table] = [stops, new Uint32Array(lookUpTable(stops).buffer)];
    const [counts, numbers, colours, table] = [this.#counts, this.#numbers, this.#colours, this.#table];
    for (let y = 0; y < height; y++) {
      const to = (height - 1 - y) * width;
      for (let x = 0, pixel = y * width; x < width; x++, pixel++) {
        const at = counts[pixel] === 0 ? this.#besides(pixel, width) : pixel;
        const count = counts[at]!;
        if (count === 0) colours[to + x] = 0;
        else {
          const place = placeInScale(strongest ? numbers[at]! : numbers[at]! / count, range, kind);
          colours[to + x] = table[Math.round((place + 1) * 127.5)]!;
        }
      }
    }
  }

  /** Where cells are hardly smaller than pixels, one in many pixels has no cell's middle: it shows what is before it, or above. */
  #besides(pixel: number, width: number): number {
    const counts = this.#counts;
    const step = [1, width, width + 1].find((by) => counts[pixel - by]! > 0 && counts[pixel + by]! > 0);
    return pixel - (step ?? 0);
  }
}

/** Adds each value, or 1 where there are none, to its pixel of `sums`. */
function addUp(view: View, shape: Shape, values: ArrayLike<number> | null, sums: Float32Array): void {
  forEachRun(view, shape, (at, row, columns, from, count) => {
    for (let k = 0; k < count; k++) {
      const column = columns[from + k]!;
      if (column >= 0) sums[row + column]! += values === null ? 1 : values[at + k]!;
    }
  });
}

/** Keeps of the values of each pixel the one of the largest size. */
function keepStrongest(view: View, shape: Shape, values: ArrayLike<number>, kept: Float32Array): void {
  forEachRun(view, shape, (at, row, columns, from, count) => {
    for (let k = 0; k < count; k++) {
      const column = columns[from + k]!;
      const value = values[at + k]!;
      if (column >= 0 && Math.abs(value) > Math.abs(kept[row + column]!)) kept[row + column] = value;
    }
  });
}

/**
 * Goes through a tensor by rows of its tiles. `each` gets the place of the first value, the place of the row's first pixel, the pixel column of
 * each column of cells (−1: outside), which of these is the first value's, and how many values follow one another.
 */
function forEachRun(
  { camera, density, width, height }: View,
  { own }: Shape,
  each: (at: number, row: number, columns: Int32Array, from: number, count: number) => void,
): void {
  const { x, y, cell, extent, tile, offset, count, columns: across, gap } = own;
  const scale = camera.zoom * density;
  const [tall, wide] = tile;
  // Tiles take the gaps behind them: smaller than pixels, these would be stripes that mean nothing.
  const pixels = (start: number, cells: number, side: number, limit: number) =>
    Int32Array.from({ length: cells }, (_, k) => {
      const inside = k % (side + gap);
      const middle = k - inside + ((inside + 0.5) * (side + gap)) / side;
      const pixel = Math.floor((start + middle * cell) * scale);
      return pixel >= 0 && pixel < limit ? pixel : -1;
    });
  const columns = pixels(x - camera.x, extent[0], wide, width);
  const rows = pixels(y - camera.y, extent[1], tall, height);
  for (let number = 0, at = 0; at < count; number++) {
    const from = (number % across) * (wide + gap);
    const top = Math.floor(number / across) * (tall + gap);
    for (let line = 0; line < tall && at < count; line++, at += wide) {
      const row = rows[top + line]!;
      if (row >= 0) each(offset + at, row * width, columns, from, Math.min(wide, count - at));
    }
  }
}
