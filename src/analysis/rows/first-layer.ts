import type { ParameterLayout, TensorSpan } from '../../ledger/types.js';

/** A picture of allocations; cells row by row [height · width], in the loss's unit. */
export type Cells = readonly number[];

/**
 * The first layer's allocations over the run, laid out as the image that it looks at: its weights on each pixel, or its kernels.
 */
export interface FirstLayer {
  readonly layer: string;
  readonly tensor: string;
  /** `pixels`: a dense layer's weights, by the pixel that they read. `kernels`: a convolution's, by their place in the kernel. */
  readonly kind: 'pixels' | 'kernels';
  readonly height: number;
  readonly width: number;
  /** Of the input; cells are sums over them. */
  readonly channels: number;
  /** Pixels on a side of a cell: more than 1 where the image is larger than a picture. */
  readonly block: number;
  /** Σ over all neurons or output channels. */
  readonly total: Cells;
  /** Those whose weights moved the loss most, most first. */
  readonly neurons: readonly { readonly neuron: number; readonly total: number; readonly cells: Cells }[];
}

/** Cells on a side of a picture at most, and neurons that have one. */
const sideLimit = 48;
const neuronLimit = 8;

/** An image as weights run over it: pixel (channel, y, x) is at channel · `channel` + y · `row` + x · `column`. */
interface Raster {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly channel: number;
  readonly row: number;
  readonly column: number;
}

const channelsFirst = (channels: number, height: number, width: number): Raster => ({
  channels,
  height,
  width,
  channel: height * width,
  row: width,
  column: 1,
});

/** How an example of this shape is an image: [H, W], or with up to four channels [C, H, W] or [H, W, C]; null where it is none. */
function rasterOf(shape: readonly number[]): Raster | null {
  const [a, b, c] = shape as [number, number, number];
  if (shape.some((extent) => extent < 1)) return null;
  if (shape.length === 2) return isLarge(a, b) ? channelsFirst(1, a, b) : null;
  if (shape.length !== 3) return null;
  if (a <= 4 && isLarge(b, c)) return channelsFirst(a, b, c);
  if (c > 4 || !isLarge(a, b)) return null;
  return { channels: c, height: a, width: b, channel: 1, row: b * c, column: c };
}

/** Fewer rows or columns are rather features than pixels. */
const isLarge = (height: number, width: number): boolean => height >= 5 && width >= 5;

interface Source {
  readonly span: TensorSpan;
  readonly kind: FirstLayer['kind'];
  readonly raster: Raster;
  /** Distance in θ from a neuron's first weight to the next neuron's, and from one of its weights to the next. */
  readonly neuron: number;
  readonly weight: number;
  readonly neurons: number;
}

/** The weights of the first layer, if the layer reads an image of this shape. */
function sourceOf({ tensors }: ParameterLayout, exampleShape: readonly number[]): Source | null {
  const span = tensors.find(({ shape, neuronAxis }) => neuronAxis !== null && shape.length >= 2);
  const image = rasterOf(exampleShape);
  if (!span || !image) return null;
  const { shape, neuronAxis } = span;
  const neurons = shape[neuronAxis!]!;
  if (shape.length === 2) {
    const inputs = span.size / neurons;
    if (inputs !== image.channels * image.height * image.width) return null;
    const steps = neuronAxis === 0 ? { neuron: inputs, weight: 1 } : { neuron: 1, weight: neurons };
    return { span, kind: 'pixels', raster: image, neurons, ...steps };
  }
  const [, channels, height, width] = shape as [number, number, number, number];
  if (shape.length !== 4 || neuronAxis !== 0 || channels !== image.channels) return null;
  const raster = channelsFirst(channels, height, width);
  return { span, kind: 'kernels', raster, neurons, neuron: span.size / neurons, weight: 1 };
}

/** One neuron's totals as cells, added to `cells` [height · width] of a picture with `block` pixels on a side of a cell. */
function addNeuron(
  { span, raster, neuron: step, weight }: Source,
  totals: Float64Array,
  neuron: number,
  { cells, block }: { readonly cells: Float64Array; readonly block: number },
): void {
  const columns = Math.ceil(raster.width / block);
  const from = span.offset + neuron * step;
  for (let c = 0; c < raster.channels; c++)
    for (let y = 0; y < raster.height; y++)
      for (let x = 0; x < raster.width; x++) {
        const at = c * raster.channel + y * raster.row + x * raster.column;
        cells[Math.floor(y / block) * columns + Math.floor(x / block)]! += totals[from + at * weight]!;
      }
}

/** Size of a picture, and the pixels on a side of its cells. */
function pictureOf({ height, width }: Raster): { block: number; height: number; width: number } {
  const block = Math.ceil(Math.max(height, width) / sideLimit);
  return { block, height: Math.ceil(height / block), width: Math.ceil(width / block) };
}

/** Values of some neurons' weights, added up in one picture. */
function drawCells(source: Source, values: Float64Array, neurons: readonly number[]): number[] {
  const { block, height, width } = pictureOf(source.raster);
  const cells = new Float64Array(height * width);
  for (const neuron of neurons) addNeuron(source, values, neuron, { cells, block });
  return [...cells];
}

/** How the first layer's neurons are drawn: a picture of any values [K] for each of them. */
export interface FirstLayerPictures {
  readonly layer: string;
  readonly neurons: number;
  readonly height: number;
  readonly width: number;
  readonly cells: (values: Float64Array, neuron: number) => Cells;
}

/** Null where examples of this shape are no images that the first layer reads. */
export function firstLayerPictures(
  layout: ParameterLayout,
  exampleShape: readonly number[],
): FirstLayerPictures | null {
  const source = sourceOf(layout, exampleShape);
  if (!source) return null;
  const { height, width } = pictureOf(source.raster);
  const { layer } = source.span;
  const cells = (values: Float64Array, neuron: number): Cells => drawCells(source, values, [neuron]);
  return { layer, neurons: source.neurons, height, width, cells };
}

/**
 * The first layer as an image, of totals [K] of parameters over the run; null where examples of shape `exampleShape` are no images, or
 * the first weights do not read them one by one.
 */
export function analyseFirstLayer(
  layout: ParameterLayout,
  totals: Float64Array,
  exampleShape: readonly number[],
): FirstLayer | null {
  const source = sourceOf(layout, exampleShape);
  if (!source) return null;
  const { span, kind, raster, neurons } = source;
  const { block, height, width } = pictureOf(raster);
  const cellsOf = (list: readonly number[]): number[] => drawCells(source, totals, list);
  const all = Array.from({ length: neurons }, (_, neuron) => neuron);
  const sums = all.map((neuron) => cellsOf([neuron]).reduce((a, b) => a + b, 0));
  const order = all.toSorted((a, b) => Math.abs(sums[b]!) - Math.abs(sums[a]!) || a - b);
  return {
    layer: span.layer,
    tensor: span.name,
    kind,
    height,
    width,
    channels: raster.channels,
    block,
    total: cellsOf(all),
    neurons: order
      .slice(0, neuronLimit)
      .map((neuron) => ({ neuron, total: sums[neuron]!, cells: cellsOf([neuron]) })),
  };
}
