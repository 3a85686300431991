import { decode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { layoutOf } from '../../ledger/layout.js';
import { estimateWidth } from '../text.js';
import { indexedPng } from '../video/png.js';
import { videoEncoders } from '../video/encoders.js';
import { type AnimationSetting, createAnimation } from './animation.js';
import { drawBackdrop, places } from './backdrop.js';
import { coloursInto, depths, zeroColour } from './colours.js';
import { gridOf } from './grids.js';
import { pack } from './packing.js';
import { paint, pixelMap } from './raster.js';

const layout = layoutOf([
  { name: 'conv.weight', shape: [3, 2, 2, 2], layer: 'conv', neuronAxis: 0, inputAxis: 1 },
  { name: 'conv.bias', shape: [3], layer: 'conv', neuronAxis: 0 },
  { name: 'fc.weight', shape: [2, 5], layer: 'fc', neuronAxis: 0, inputAxis: 1 },
]);
const [kernel, bias, matrix] = layout.tensors as [never, never, never];

const setting: AnimationSetting = {
  layout,
  exampleShape: [],
  size: { width: 400, height: 320 },
  theme: 'light',
  title: 'A run',
  shown: 'allocations',
  iteration: [0, 10, 20],
  lines: [{ name: 'train', losses: [2, 1, 0.5] }],
  unit: 'nats',
  largest: 1,
  largestSum: 3,
};

describe('the layout of an animation', () => {
  it('has outputs as rows, inputs as columns, kernels as tiles', () => {
    const grid = gridOf(kernel, true, []);
    expect([grid.tiles, grid.columns, grid.height, grid.width]).toEqual([6, 2, 2, 2]);
    // Output 1, input 0, row 1, column 0 of the kernel.
    expect(grid.cellOf(8 + 2)).toEqual({ tile: 2, y: 1, x: 0 });
    expect(gridOf(matrix, false, []).cellOf(7)).toEqual({ tile: 7, y: 0, x: 0 });
    expect(gridOf(bias, false, []).columns).toBeNull();
  });

  it('reads a transposed matrix alike', () => {
    const { tensors } = layoutOf([{ name: 'w', shape: [5, 2], layer: 'a', neuronAxis: 1, inputAxis: 0 }]);
    const grid = gridOf(tensors[0]!, false, []);
    // Input 3, output 1.
    expect([grid.columns, grid.cellOf(7)]).toEqual([5, { tile: 5 + 3, y: 0, x: 0 }]);
  });

  it('shows what a first dense layer reads as images, channel by channel', () => {
    const { tensors } = layoutOf([{ name: 'w', shape: [4, 18], layer: 'a', neuronAxis: 0, inputAxis: 1 }]);
    const grid = gridOf(tensors[0]!, true, [2, 3, 3]);
    expect([grid.tiles, grid.together, grid.height]).toEqual([8, 2, 3]);
    expect(grid.cellOf(18 + 9 + 5)).toEqual({ tile: 3, y: 1, x: 2 });
  });

  it('keeps all cells inside the room and apart, at every size', () => {
    const layers = ['conv', 'fc'].map((layer) => ({
      layer,
      grids: layout.tensors
        .filter((tensor) => tensor.layer === layer)
        .map((tensor, i) => gridOf(tensor, i === 0, [])),
    }));
    for (const width of [110, 240, 600]) {
      const map = pixelMap(pack(layers, { width, height: 200 })!, { x: 0, y: 0 }, width);
      const all = [...map.pixels, ...map.edges];
      expect(new Set(all).size).toBe(all.length);
      expect(Math.max(...all)).toBeLessThan(200 * width);
      expect(new Set([...map.sources, ...map.edgeSources]).size).toBe(layout.size);
    }
    expect(pack(layers, { width: 60, height: 200 })).toBeNull();
  });

  it('lets parameters share pixels where cells are small, and shows the deepest of them', () => {
    const many = layoutOf([{ name: 'w', shape: [400, 400], layer: 'a', neuronAxis: 0, inputAxis: 1 }]);
    const placed = pack([{ layer: 'a', grids: [gridOf(many.tensors[0]!, true, [])] }], { width: 240, height: 240 })!;
    const map = pixelMap(placed, { x: 0, y: 0 }, 240);
    const colours = new Uint8Array(many.size).fill(zeroColour + 3);
    colours[401] = 0;
    const frame = new Uint8Array(240 * 240).fill(zeroColour);
    paint(frame, map, colours);
    expect(frame.filter((colour) => colour === 0)).toHaveLength(1);
    expect(frame.filter((colour) => colour === zeroColour + 3)).toHaveLength(200 * 200 - 1);
  }); // prettier-ignore
});

describe('colours', () => {
  it('are symmetric, go by the square root, and are those of zero for zero alone', () => {
    const colours = new Uint8Array(7);
    coloursInto(colours, Float64Array.of(-9, -1, -0.25, 0, 1e-30, 0.25, 1), 1);
    expect([...colours].map((colour) => colour - zeroColour)).toEqual([
      -depths,
      -depths,
      -depths / 2,
      0,
      1,
      depths / 2,
      depths,
    ]);
  });
});

describe('a frame', () => {
  const { draw, colours, size } = createAnimation(setting);
  const values = Float64Array.from({ length: layout.size }, (_, k) => (k < 24 ? -1 : 1));
  const sums = Float64Array.of(-21, 10);
  const first = draw({ values, sums, row: 1 }).slice();
  const count = (frame: Uint8Array, colour: number): number => frame.filter((own) => own === colour).length;

  it('tells signs by shape, too: what hurts fills half of the width of its cell', () => {
    const legend = count(draw({ values: new Float64Array(layout.size), sums, row: 1 }), 0);
    const helped = count(first, 0) - legend;
    const hurt = count(first, 2 * depths) - legend;
    expect(helped).toBeGreaterThan(0);
    expect(hurt).toBeGreaterThan(0);
    const equal = draw({ values: values.map(() => -1), sums, row: 1 });
    expect(count(equal, 0) - legend - helped).toBe(2 * hurt);
  });

  it('has a cursor that moves, and numbers of its own', () => {
    const later = draw({ values, sums, row: 2 });
    const changed = [...later.keys()].filter((i) => later[i] !== first[i]);
    expect(changed.some((i) => i > size.width * 250)).toBe(true);
    expect(changed.some((i) => i < size.width * 70)).toBe(true);
    expect(draw({ values, sums, row: 1 })).toEqual(first);
  });

  it('has room for tick labels and for losses of many digits', () => {
    const stageOf = (...losses: number[]) =>
      drawBackdrop({ ...setting, lines: [{ name: 'train', losses }], sumUnit: 'nats' }, []);
    const usual = stageOf(2, 1, 0.5);
    const unitOf = ({ svg }: { svg: string }) => Number(/<text x="(\d+)" y="56">nats</.exec(svg)![1]);
    expect([usual.lossLeft, unitOf(usual)]).toEqual([70, places.loss.x + 66]);
    expect(stageOf(1.099952415, 1.09995242, 1.099952435).lossLeft).toBeGreaterThan('1.099952435'.length * 8);
    expect(unitOf(stageOf(47475, 511260, 7e5)) - places.loss.x).toBeGreaterThan('511260.1164'.length * 10);
  });

  it('is the same as PNG, without loss', () => {
    const { data, width, palette } = decode(indexedPng(first, { ...size, colours }));
    expect([width, palette!.length]).toEqual([size.width, colours.rgb.length / 3]);
    expect(Buffer.compare(data as Uint8Array, first)).toBe(0);
  });

  it.each([
    ['mp4', 4, 'ftyp'],
    ['webm', 0, '\x1aE\xdf\xa3'],
    ['gif', 0, 'GIF89a'],
  ] as const)('becomes %s', async (format, at, magic) => {
    const encoder = await videoEncoders[format]({ ...size, framesPerSecond: 30, colours });
    for (let i = 0; i < 3; i++) await encoder.add(first);
    const bytes = Buffer.from(await encoder.finish());
    expect(bytes.subarray(at, at + magic.length).toString('latin1')).toBe(magic);
    expect(bytes.length).toBeGreaterThan(1000);
  });

  it('is refused where the size is too small', () => {
    expect(() => createAnimation({ ...setting, size: { width: 100, height: 240 } })).toThrow(/larger --size/);
  });

  it('has a ground under the keys of losses, which a loss that ends high runs behind', () => {
    const { svg } = drawBackdrop(
      { ...setting, lines: [{ name: 'train', losses: [1, 2] }], sumUnit: 'nats' },
      [],
    );
    const [, x, width] = /<rect x="([\d.]+)" y="11" width="([\d.]+)" height="18"[^>]*\/><line/.exec(svg)!;
    const key = Number(/<text x="([\d.]+)"[^>]*>train loss \(nats\)/.exec(svg)![1]);
    expect(Number(x)).toBeLessThan(key);
    expect(Number(x) + Number(width)).toBeGreaterThan(key + estimateWidth('train loss (nats)', 13));
    expect(svg.indexOf('aria-label="line"')).toBeLessThan(svg.indexOf('y="11"'));
  });
});
