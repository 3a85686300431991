import type { Numbers } from '../../plan/objects.js';

/** A matrix [rows, columns] within θ or the constants. */
export interface MatrixView {
  readonly numbers: Numbers;
  readonly rows: number;
  readonly columns: number;
  readonly rowStride: number;
  readonly columnStride: number;
}
