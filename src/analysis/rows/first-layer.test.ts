import { describe, expect, it } from 'vitest';
import { layoutOf } from '../../ledger/layout.js';
import { analyseFirstLayer } from './first-layer.js';

/** Totals that tell every weight of a [neurons, channels, height, width] tensor: n.cyx. */
const telling = (shape: readonly [number, number, number, number], order: (n: number, c: number, y: number, x: number) => number) => {
  const [neurons, channels, height, width] = shape;
  const totals = new Float64Array(neurons * channels * height * width);
  for (let n = 0; n < neurons; n++)
    for (let c = 0; c < channels; c++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) totals[order(n, c, y, x)] = (n + 1) * 1000 + c * 100 + y * 10 + x;
  return totals;
}; // prettier-ignore

/** Σ over neurons and channels of the same at a pixel, and of one neuron. */
const pixel = (neurons: readonly number[], channels: number, y: number, x: number): number =>
  neurons.reduce(
    (sum, n) => sum + channels * ((n + 1) * 1000 + y * 10 + x) + (100 * channels * (channels - 1)) / 2,
    0,
  );

const cellsOf = (neurons: readonly number[], channels: number, height: number, width: number): number[] =>
  Array.from({ length: height * width }, (_, at) =>
    pixel(neurons, channels, Math.floor(at / width), at % width),
  );

const dense = (shape: number[], neuronAxis: number) =>
  layoutOf([{ name: 'fc.weight', shape, layer: 'fc', neuronAxis }]);

describe('the first layer as an image', () => {
  it.each([
    ['[out, in], channels first', dense([2, 90], 0), [3, 5, 6], (n: number, c: number, y: number, x: number) => n * 90 + c * 30 + y * 6 + x],
    ['[in, out], channels first', dense([90, 2], 1), [3, 5, 6], (n: number, c: number, y: number, x: number) => (c * 30 + y * 6 + x) * 2 + n],
    ['[out, in], channels last', dense([2, 90], 0), [5, 6, 3], (n: number, c: number, y: number, x: number) => n * 90 + (y * 6 + x) * 3 + c],
  ] as const)('puts weights on pixels: %s', (_, layout, shape, order) => {
    const image = analyseFirstLayer(layout, telling([2, 3, 5, 6], order), shape)!;
    expect(image).toMatchObject({ layer: 'fc', tensor: 'fc.weight', kind: 'pixels', height: 5, width: 6, channels: 3, block: 1 });
    expect(image.total).toEqual(cellsOf([0, 1], 3, 5, 6));
    expect(image.neurons.map(({ neuron }) => neuron)).toEqual([1, 0]);
    expect(image.neurons[0]!.cells).toEqual(cellsOf([1], 3, 5, 6));
    expect(image.neurons[0]!.total).toBe(cellsOf([1], 3, 5, 6).reduce((a, b) => a + b));
  }); // prettier-ignore

  it('shows kernels of a convolution, and at most eight of them', () => {
    const layout = layoutOf([
      { name: 'bias', shape: [3], layer: 'b', neuronAxis: 0 },
      { name: 'conv.weight', shape: [9, 1, 3, 4], layer: 'conv', neuronAxis: 0 },
    ]);
    const totals = telling([9, 1, 3, 4], (n, c, y, x) => n * 12 + c * 12 + y * 4 + x);
    const image = analyseFirstLayer(layout, Float64Array.of(7, 7, 7, ...totals), [1, 28, 28])!;
    expect(image).toMatchObject({ kind: 'kernels', height: 3, width: 4 });
    expect(image.total).toEqual(cellsOf([0, 1, 2, 3, 4, 5, 6, 7, 8], 1, 3, 4));
    expect(image.neurons).toHaveLength(8);
    expect(image.neurons[0]).toMatchObject({ neuron: 8, cells: cellsOf([8], 1, 3, 4) });
  });

  it('joins the pixels of large images without losing any', () => {
    const totals = Float64Array.from({ length: 100 * 70 }, (_, k) => k);
    const image = analyseFirstLayer(dense([1, 7000], 0), totals, [100, 70])!;
    expect([image.block, image.height, image.width]).toEqual([3, 34, 24]);
    expect(image.total.reduce((a, b) => a + b)).toBe((6999 * 7000) / 2);
    expect(image.total[0]).toBe([0, 1, 2, 70, 71, 72, 140, 141, 142].reduce((a, b) => a + b));
  });

  it.each([
    ['a list of features', [90]],
    ['another number of inputs', [3, 5, 7]],
    ['a table with few columns', [45, 2]],
    ['a volume', [3, 5, 2, 3]],
    ['nothing stated', []],
  ])('is absent for %s', (_, shape) => {
    expect(analyseFirstLayer(dense([2, 90], 0), new Float64Array(180), shape)).toBeNull();
  });
});
