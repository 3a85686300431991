/** The screens, in the order of their tabs and number keys. */
export const viewNames = [
  'overview',
  'microscope',
  'neurons',
  'moments',
  'book',
  'compare',
  'playground',
] as const;
export type ViewName = (typeof viewNames)[number];

/** Which segments are added up: all up to the cursor, the one at the cursor, or those of a window. */
export type Mode = 'cumulative' | 'instant' | 'window';

/** A value of the microscope's sheet, and the size of its cell in pixels. */
export interface Focus {
  readonly index: number;
  readonly cell: number;
}

/** Columns by which the ledger book is sorted. */
export const sortings = ['name', 'total', 'size', 'helping'] as const;
export type Sorting = (typeof sortings)[number];

/** What was clicked to be kept in sight: a weight, a neuron or a layer, by its index. */
export interface Pin {
  readonly kind: 'parameter' | 'neuron' | 'layer';
  readonly index: number;
}
