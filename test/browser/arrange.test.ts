import { describe, expect, it } from 'vitest';
import { layOut } from '../../apps/dashboard/src/draw/arrange.js';
import { leftOfNext, type Placed, tensorTilings, valueAt } from '../../apps/dashboard/src/draw/sheet.js';
import { type LaidTensor, layoutOf } from '../../src/ledger/layout.js';

type Shapes = Readonly<Record<string, readonly number[]>>;
const layoutFor = (shapes: Shapes) =>
  layoutOf(
    Object.entries(shapes).flatMap(([layer, shape]): LaidTensor[] => [
      { name: `${layer}.weight`, shape, layer, neuronAxis: 0 },
      { name: `${layer}.bias`, shape: [shape[0]!], layer, neuronAxis: 0 },
    ]),
  );

const networks: Readonly<Record<string, readonly [Shapes, number[]]>> = {
  fc: [{ fc1: [100, 784], fc2: [50, 100], fc3: [10, 50] }, [1, 28, 28]],
  lenet: [{ conv1: [20, 1, 5, 5], conv2: [40, 20, 5, 5], fc1: [400, 640], fc2: [10, 400] }, [1, 28, 28]],
  allcnn: [
    Object.fromEntries([3, 96, 96, 96, 192, 192, 192, 192, 192].map((inputs, l) => [`conv${l}`, [[96, 96, 96, 192, 192, 192, 192, 192, 10][l]!, inputs, l < 7 ? 3 : 1, l < 7 ? 3 : 1]])),
    [3, 32, 32],
  ],
  deep: [Object.fromEntries(Array.from({ length: 60 }, (_, l) => [`conv${l}`, [16, 16, 3, 3]])), [3, 32, 32]],
}; // prettier-ignore
const rooms = [[300, 400], [960, 600], [3400, 1200]] as const; // prettier-ignore

const boxOf = ({ x, y, cell, extent }: Placed) => [x, y, x + extent[0] * cell, y + extent[1] * cell] as const;

describe.each(Object.keys(networks))('%s on a sheet', (name) => {
  const [shapes, example] = networks[name]!;
  const layout = layoutFor(shapes);
  const tilings = tensorTilings(layout, example);

  it.each(rooms)('shows every value inside %i × %i, no tensor on another', (width, height) => {
    const placed = layOut(tilings, width, height);
    expect(placed.reduce((total, { count }) => total + count, 0)).toBe(layout.size);
    for (const [k, own] of placed.entries()) {
      const [left, top, right, bottom] = boxOf(own);
      expect(Math.min(left, top - 15), own.label).toBeGreaterThanOrEqual(0);
      expect(right, own.label).toBeLessThanOrEqual(width);
      expect(bottom, own.label).toBeLessThanOrEqual(height);
      for (const other of placed.slice(k + 1)) {
        const [a, b, c, d] = boxOf(other);
        const isApart = a >= right || c <= left || b >= bottom || d <= top;
        expect(isApart, `${own.label} and ${other.label}`).toBe(true);
      }
      const { cell, x, y, offset } = own;
      expect(valueAt(placed, x + cell / 2, y + cell / 2)?.index).toBe(offset);
    }
  });

  it.skipIf(name === 'deep').each(rooms)('leaves little of %i × %i unused', (width, height) => {
    const used = layOut(tilings, width, height).reduce((total, { extent, cell }) => total + extent[0] * extent[1] * cell * cell, 0); // prettier-ignore
    expect(used / (width * height)).toBeGreaterThan(width < 400 ? 0.25 : 0.6);
  });
});

it('gives a name the room up to what stands beside it on its height, or up to the name of that', () => {
  const box = (x: number, y: number, across: number, down: number): Placed => ({
    label: '', layer: 0, offset: 0, count: 1, tile: [1, 1], columns: 1, group: 1, gap: 0, x, y, cell: 1, extent: [across, down],
  }); // prettier-ignore
  const camera = { x: 0, y: 0, zoom: 1 };
  // Its own, one beside it whose name is level, a narrow one without a name, and a tall one that began above.
  const [own, named, narrow, tall] = [
    box(0, 100, 50, 50),
    box(200, 105, 50, 50),
    box(150, 105, 9, 50),
    box(300, 10, 50, 200),
  ] as const;
  expect(leftOfNext([own, tall], 0, 95, camera)).toBe(300);
  expect(leftOfNext([own, named, tall], 0, 95, camera)).toBe(200);
  expect(leftOfNext([own, narrow, named, tall], 0, 95, camera)).toBe(200);
  expect(leftOfNext([own, box(150, 90, 9, 50)], 0, 95, camera)).toBe(150);
  expect(leftOfNext([own, box(200, 160, 50, 50)], 0, 95, camera)).toBe(Infinity);
  expect(leftOfNext([own, named], 0, 185, { x: 10, y: 0, zoom: 2 })).toBe(Infinity);
  expect(leftOfNext([own, named], 0, 205, { x: 10, y: 0, zoom: 2 })).toBe(380);
});
