import { sizeOf } from '../formats/array.js';
import { misfit } from '../formats/source.js';
import { firstNonFinite } from '../num/sums.js';
import type { TensorShape } from './types.js';

/** K of a layout. */
export const layoutSize = (layout: readonly TensorShape[]): number =>
  layout.reduce((total, { shape }) => total + sizeOf(shape), 0);

/** A list of names for a message, shortened. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 8).join(', ');
  return names.length > 8 ? `${shown}, … (${names.length} in all)` : shown || '(none)';
}

/** A tensor in words. */
export const described = ({ name, shape }: TensorShape): string => `${name} [${shape.join(', ')}]`;

/** Throws DataError, naming row, tensor and index, where a number of θ [K] is not finite. */
export function requireFinite(
  theta: Float32Array,
  layout: readonly TensorShape[],
  file: string,
  row: number,
): void {
  const index = firstNonFinite(theta);
  if (index < 0) return;
  let offset = 0;
  const tensor = layout.find(({ shape }) => index < (offset += sizeOf(shape)))!;
  const place = index - (offset - sizeOf(tensor.shape));
  throw misfit(
    file,
    `row ${row}, tensor ${tensor.name}, index ${place} is ${theta[index]!}`,
    'finite numbers of float32 range',
    'measure up to the row before training diverged',
  );
}

/** Throws DataError where the iterations are not one whole number per row, ascending from 0 or more. */
export function requireIterations(iteration: readonly number[], rows: number, file: string): void {
  const ascending = iteration.every(
    (value, t) => Number.isSafeInteger(value) && value > (iteration[t - 1] ?? -1),
  );
  if (ascending && iteration.length === rows) return;
  throw misfit(
    file,
    `iterations ${listed(iteration.map(String))} for ${rows} rows`,
    'one whole number per row, ascending',
    'correct what the file calls iteration, or leave it out for 0, 1, 2, …',
  );
}

/** Throws DataError for fewer than two rows: no step was taken. */
export function requireRows(rows: number, file: string): void {
  if (rows >= 2) return;
  throw misfit(
    file,
    `${rows} rows`,
    'at least 2 rows (θ before and after a step)',
    'record more checkpoints',
  );
}

/** Whether a name fits a pattern, in which `*` stands for anything. */
export function fitsPattern(name: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}
