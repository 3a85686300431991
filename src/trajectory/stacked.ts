import { misfit } from '../formats/source.js';
import {
  layoutSize,
  listed,
  requireFinite,
  requireIterations,
  requireRows,
  sameShape,
  sizeOf,
} from './layout.js';
import type { RowArray, RowFile, TensorShape, Trajectory } from './types.js';

/**
 * The trajectory of a file of stacked arrays: `theta` [T+1, K], or one array [T+1, …shape] per tensor of the model; optionally
 * `iteration` [T+1]. Other arrays are passed over where `theta` is there. Throws DataError where something does not fit.
 */
export async function stackedTrajectory(
  file: RowFile,
  layout: readonly TensorShape[],
  others: ReadonlySet<string> = new Set(),
): Promise<Trajectory> {
  const parts = file.names.includes('theta')
    ? [await thetaRows(file, layout)]
    : await tensorRows(file, layout, others);
  const rows = parts[0]!.shape[0]!;
  requireRows(rows, file.name);
  const iteration = file.names.includes('iteration')
    ? await file.integers('iteration')
    : Array.from({ length: rows }, (_, t) => t);
  requireIterations(iteration, rows, file.name);
  return {
    rows,
    iteration,
    row: async (t) => {
      const theta = await joinRows(parts, t, layoutSize(layout));
      requireFinite(theta, layout, file.name, t);
      return theta;
    },
    close: () => file.close(),
  };
}

async function thetaRows(file: RowFile, layout: readonly TensorShape[]): Promise<RowArray> {
  const theta = await file.rows('theta');
  const size = layoutSize(layout);
  if (theta.shape.length === 2 && theta.shape[1] === size) return theta;
  throw misfit(
    file.name,
    `theta of shape [${theta.shape.join(', ')}]`,
    `[rows, ${size}], the model's parameters`,
    'give the model that this trajectory was recorded with',
  );
}

async function tensorRows(
  file: RowFile,
  layout: readonly TensorShape[],
  others: ReadonlySet<string>,
): Promise<RowArray[]> {
  requireNames(file, layout, others);
  const parts = await Promise.all(layout.map(({ name }) => file.rows(name)));
  const rows = parts[0]?.shape[0] ?? 0;
  parts.forEach(({ shape }, k) => {
    const { name, shape: expected } = layout[k]!;
    if (sameShape(shape, [rows, ...expected])) return;
    throw misfit(
      file.name,
      `${name} of shape [${shape.join(', ')}]`,
      `[rows, ${expected.join(', ')}] with ${rows} rows`,
      sameShape(shape, expected)
        ? 'for one file per checkpoint, give the folder that holds the files'
        : 'give the model that this trajectory was recorded with',
    );
  });
  return parts;
}

/** Throws DataError where names differ from the layout's; `iteration` and `others` may be there too. */
function requireNames(file: RowFile, layout: readonly TensorShape[], others: ReadonlySet<string>): void {
  const expected = new Set(layout.map(({ name }) => name));
  const given = new Set(
    file.names.filter((name) => expected.has(name) || !(name === 'iteration' || others.has(name))),
  );
  const missing = [...expected].filter((name) => !given.has(name));
  const extra = [...given].filter((name) => !expected.has(name));
  if (missing.length + extra.length === 0) return;
  throw misfit(
    file.name,
    `arrays ${listed([...given])}`,
    `theta, or exactly the model's tensors ${listed([...expected])}`,
    missing.length > 0 ? `add or rename ${listed(missing)}` : `leave out ${listed(extra)}`,
  );
}

/** Rows are read one after the other: parts of one file share its reading place. */
async function joinRows(parts: readonly RowArray[], t: number, size: number): Promise<Float32Array> {
  if (parts.length === 1) return parts[0]!.row(t);
  const theta = new Float32Array(size);
  let at = 0;
  for (const part of parts) {
    theta.set(await part.row(t), at);
    at += sizeOf(part.shape.slice(1));
  }
  return theta;
}
