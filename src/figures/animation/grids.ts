import { sizeOf } from '../../graph/types.js';
import type { TensorSpan } from '../../ledger/types.js';

/** Where a parameter is in a picture of its tensor: which tile, and which cell of it. */
export interface Cell {
  readonly tile: number;
  readonly y: number;
  readonly x: number;
}

/** A tensor as tiles of cells: kernels of a convolution, images that dense neurons look at, or single cells. */
export interface Grid {
  readonly tensor: TensorSpan;
  readonly tiles: number;
  /** Tiles in a row, such as inputs; null: as many as there is room for, in multiples of `together`. */
  readonly columns: number | null;
  readonly together: number;
  /** Cells of a tile. */
  readonly height: number;
  readonly width: number;
  /** Place of an index inside the tensor. */
  readonly cellOf: (index: number) => Cell;
}

/** Steps from one index of an axis to the next, row-major. */
const strideOf = (shape: readonly number[], axis: number): number => sizeOf(shape.slice(axis + 1));

/** Position along some axes together, the last one fastest. */
function along(shape: readonly number[], axes: readonly number[]): (index: number) => number {
  const steps = axes.map((axis) => ({ stride: strideOf(shape, axis), extent: shape[axis]! }));
  return (index) => steps.reduce((at, { stride, extent }) => at * extent + (Math.floor(index / stride) % extent), 0);
} // prettier-ignore

const extentOf = (shape: readonly number[], axes: readonly number[]): number => sizeOf(axes.map((axis) => shape[axis]!)); // prettier-ignore

/** A vector: its cells follow each other. */
const vectorGrid = (tensor: TensorSpan): Grid => ({
  tensor,
  tiles: tensor.size,
  columns: null,
  together: 1,
  height: 1,
  width: 1,
  cellOf: (index) => ({ tile: index, y: 0, x: 0 }),
});

/** Outputs from the top, inputs from the left; the last axes of a convolution are its kernels' own. */
function matrixGrid(tensor: TensorSpan): Grid {
  const { shape, neuronAxis, inputAxis } = tensor;
  const others = shape.map((_, axis) => axis).filter((axis) => axis !== neuronAxis);
  const kernel = shape.length < 3 ? [] : others.filter((axis) => axis !== inputAxis).slice(-2);
  const inputs = others.filter((axis) => !kernel.includes(axis));
  const columns = extentOf(shape, inputs);
  const [row, column] = [along(shape, neuronAxis === null ? [] : [neuronAxis]), along(shape, inputs)];
  const [y, x] = [along(shape, kernel.slice(0, -1)), along(shape, kernel.slice(-1))];
  return {
    tensor,
    tiles: columns * (neuronAxis === null ? 1 : shape[neuronAxis]!),
    columns,
    together: 1,
    height: extentOf(shape, kernel.slice(0, -1)),
    width: extentOf(shape, kernel.slice(-1)),
    cellOf: (index) => ({ tile: row(index) * columns + column(index), y: y(index), x: x(index) }),
  };
}

/** A dense layer that reads images [channels, height, width]: each neuron's incoming weights are images. */
function imageGrid(tensor: TensorSpan, [channels, height, width]: readonly [number, number, number]): Grid {
  const neurons = tensor.shape[tensor.neuronAxis!]!;
  const inputs = channels * height * width;
  const [neuron, input] = [along(tensor.shape, [tensor.neuronAxis!]), along(tensor.shape, [1 - tensor.neuronAxis!])]; // prettier-ignore
  const pixels = height * width;
  return {
    tensor,
    tiles: neurons * channels,
    columns: null,
    together: channels,
    height,
    width,
    cellOf: (index) => {
      const at = input(index) % inputs;
      const pixel = at % pixels;
      return { tile: neuron(index) * channels + Math.floor(at / pixels), y: Math.floor(pixel / width), x: pixel % width }; // prettier-ignore
    },
  };
}

/** How a tensor is laid out; `exampleShape` [channels, height, width] of the images that a first dense layer reads. */
export function gridOf(tensor: TensorSpan, isFirst: boolean, exampleShape: readonly number[]): Grid {
  const { shape, neuronAxis } = tensor;
  if (shape.length < 2) return vectorGrid(tensor);
  if (isFirst && shape.length === 2 && neuronAxis !== null && exampleShape.length === 3) {
    const [channels, height, width] = exampleShape as [number, number, number];
    if (shape[1 - neuronAxis] === sizeOf(exampleShape) && height > 1) return imageGrid(tensor, [channels, height, width]); // prettier-ignore
  }
  return matrixGrid(tensor);
}
