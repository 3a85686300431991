import { zeroColour } from './colours.js';
import type { PlacedGrid, PlacedLayer } from './packing.js';

/** Pixels on a side from which a cell's sign is told by its shape, too: what hurts fills the middle half of its cell. */
const shapedFrom = 4;

/** Which parameter each pixel of a picture shows. Pixels appear more than once where several parameters share them. */
export interface PixelMap {
  /** Index into the frame, and into θ. */
  readonly pixels: Int32Array;
  readonly sources: Int32Array;
  /** Pixels that stay empty where the allocation hurts. */
  readonly edges: Int32Array;
  readonly edgeSources: Int32Array;
}

/** Numbers that are collected without a list of objects. */
class Growing {
  #numbers = new Int32Array(1024);
  #length = 0;

  push(value: number): void {
    if (this.#length === this.#numbers.length) {
      const larger = new Int32Array(2 * this.#length);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[this.#length++] = value;
  }

  finish(): Int32Array {
    return this.#numbers.slice(0, this.#length);
  }
}

/** First pixel of a cell relative to its grid, and pixels on a side. */
function boxOf({ grid, columns, scale, gap }: PlacedGrid, index: number): { left: number; top: number; side: number } {
  const { tile, y, x } = grid.cellOf(index);
  const pitch = (cells: number, tiles: number): number => tiles * (cells * scale + gap);
  const left = pitch(grid.width, tile % columns) + x * scale;
  const top = pitch(grid.height, Math.floor(tile / columns)) + y * scale;
  return { left: Math.floor(left), top: Math.floor(top), side: Math.max(1, scale) };
} // prettier-ignore

/** Maps the pixels of all layers, whose places are relative to (x, y) of a frame so many pixels wide. */
export function pixelMap(layers: readonly PlacedLayer[], origin: { readonly x: number; readonly y: number }, width: number): PixelMap {
  const [pixels, sources, edges, edgeSources] = [new Growing(), new Growing(), new Growing(), new Growing()];
  for (const placed of layers.flatMap(({ grids }) => grids)) {
    const { tensor } = placed.grid;
    const margin = placed.scale >= shapedFrom ? Math.floor(placed.scale / 4) : 0;
    for (let index = 0; index < tensor.size; index++) {
      const { left, top, side } = boxOf(placed, index);
      const first = (origin.y + placed.y + top) * width + origin.x + placed.x + left;
      for (let dy = 0; dy < side; dy++)
        for (let dx = 0; dx < side; dx++) {
          const isEdge = dx < margin || dx >= side - margin;
          (isEdge ? edges : pixels).push(first + dy * width + dx);
          (isEdge ? edgeSources : sources).push(tensor.offset + index);
        }
    }
  }
  return { pixels: pixels.finish(), sources: sources.finish(), edges: edges.finish(), edgeSources: edgeSources.finish() };
} // prettier-ignore

/** Paints colours [K] into a frame whose cells have zero's colour; of parameters that share a pixel the deepest colour is seen. */
export function paint(frame: Uint8Array, { pixels, sources, edges, edgeSources }: PixelMap, colours: Uint8Array): void {
  for (let i = 0; i < pixels.length; i++) {
    const [pixel, colour] = [pixels[i]!, colours[sources[i]!]!];
    if (Math.abs(colour - zeroColour) > Math.abs(frame[pixel]! - zeroColour)) frame[pixel] = colour;
  }
  for (let i = 0; i < edges.length; i++) {
    const colour = colours[edgeSources[i]!]!;
    if (colour < zeroColour) frame[edges[i]!] = colour;
  }
} // prettier-ignore
