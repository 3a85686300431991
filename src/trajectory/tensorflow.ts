import { fileSource } from '../data/files.js';
import { misfit } from '../formats/source.js';
import { openHdf5 } from '../formats/hdf5.js';
import type { Hdf5File } from '../formats/hdf5.js';
import { layoutSize, listed, requireFinite, requireRows, sameShape, sizeOf } from './layout.js';
import type { TensorShape, Trajectory } from './types.js';

/**
 * The file `weights` that the paper's authors store: `all_weights` [T+1, K] float32, and the attributes `var_names` and `var_shapes`,
 * each a list joined by semicolons. Its tensors must follow the order of the model's. Shapes are either the model's own, or all are
 * TensorFlow's (dense kernels [in, out], convolution kernels [height, width, in, out]); then rows are rearranged to the model's.
 */
export async function tensorFlowTrajectory(
  path: string,
  layout: readonly TensorShape[],
): Promise<Trajectory> {
  const source = await fileSource(path);
  const file = await openHdf5(source);
  try {
    const rows = weightRows(file, path, layout);
    const order = elementOrder(storedTensors(file, path), layout, path);
    return {
      rows,
      iteration: Array.from({ length: rows }, (_, t) => t),
      row: (t) =>
        new Promise((resolve) => {
          const stored = file.arrays.get('all_weights')!.read(t, t + 1).data as Float32Array;
          const theta = order === null ? stored : Float32Array.from(order, (from) => stored[from]!);
          requireFinite(theta, layout, path, t);
          resolve(theta);
        }),
      close: () => Promise.resolve(file.close()),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** T + 1, once `all_weights` is known to fit. */
function weightRows(file: Hdf5File, path: string, layout: readonly TensorShape[]): number {
  const weights = file.arrays.get('all_weights');
  const size = layoutSize(layout);
  const [rows, width] = weights?.shape ?? [];
  if (rows === undefined || width !== size || weights!.shape.length !== 2 || weights!.dtype !== 'float32') {
    throw misfit(
      path,
      weights ? `all_weights ${weights.storedType} [${weights.shape.join(', ')}]` : 'no array all_weights',
      `all_weights float32 [rows, ${size}]`,
      'give the model that this trajectory was recorded with',
    );
  }
  requireRows(rows, path);
  return rows;
}

/** Names and shapes as the file lists them. */
function storedTensors(file: Hdf5File, path: string): TensorShape[] {
  const names = file.text('var_names')?.split(';') ?? [];
  const shapes = file.text('var_shapes')?.split(';') ?? [];
  const parsed = shapes.map(parseShape);
  if (names.length === shapes.length && names.length > 0 && !parsed.includes(null)) {
    return names.map((name, k) => ({ name, shape: parsed[k]! }));
  }
  throw misfit(
    path,
    `${names.length} var_names and ${shapes.length} var_shapes, such as ${JSON.stringify((shapes[parsed.indexOf(null)] ?? shapes[0] ?? '').slice(0, 40))}`,
    'as many names as shapes like (784, 100), joined by semicolons',
    'store both as attributes of the file',
  );
}

/** A Python tuple of whole numbers; null where it is none. */
function parseShape(text: string): number[] | null {
  const extents = /^\(([\d, ]*)\)$/.exec(text.trim())?.[1]?.split(',') ?? ['none'];
  const shape = extents.map((extent) => extent.trim()).filter((extent) => extent !== '').map(Number); // prettier-ignore
  return shape.every(Number.isSafeInteger) ? shape : null;
}

/** How TensorFlow orders the axes of a kernel whose axes here are [out, in, …window]. */
const toTensorFlow = (shape: readonly number[]): readonly number[] =>
  shape.length < 2 ? shape : [...shape.slice(2), shape[1]!, shape[0]!];

/** For every element of θ its place in a stored row; null where both are in one order. */
function elementOrder(
  stored: readonly TensorShape[],
  layout: readonly TensorShape[],
  path: string,
): Uint32Array | null {
  const fits = (form: (shape: readonly number[]) => readonly number[]) =>
    stored.length === layout.length &&
    layout.every(({ shape }, k) => sameShape(form(shape), stored[k]!.shape));
  if (fits((shape) => shape)) return null;
  if (fits(toTensorFlow)) return tensorFlowOrder(layout);
  const describe = (tensors: readonly TensorShape[]) =>
    listed(tensors.map(({ name, shape }) => `${name} [${shape.join(', ')}]`));
  throw misfit(
    path,
    `tensors ${describe(stored)}`,
    `${describe(layout)}, in this order, or their TensorFlow forms`,
    'give the model that this trajectory was recorded with',
  );
}

function tensorFlowOrder(layout: readonly TensorShape[]): Uint32Array {
  const order = new Uint32Array(layoutSize(layout));
  let offset = 0;
  for (const { shape } of layout) {
    const size = sizeOf(shape);
    for (let i = 0; i < size; i++)
      order[offset + i] = offset + (shape.length < 2 ? i : storedPlace(i, shape));
    offset += size;
  }
  return order;
}

/** Place in [...window, in, out] of element `i` of [out, in, ...window]. */
function storedPlace(i: number, shape: readonly number[]): number {
  const [outputs, inputs] = shape as [number, number];
  const window = sizeOf(shape.slice(2));
  const output = Math.floor(i / (inputs * window));
  const input = Math.floor(i / window) % inputs;
  return ((i % window) * inputs + input) * outputs + output;
}
