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

/** What was clicked to be kept in sight: a weight, a neuron or a layer, by its index. */
export interface Pin {
  readonly kind: 'parameter' | 'neuron' | 'layer';
  readonly index: number;
}
