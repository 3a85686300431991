import { elementwise } from './elementwise.js';
import { matrix } from './matrix.js';
import { normalization } from './normalization.js';
import { shape } from './shape.js';
import type { Table } from './spec.js';
import { windows } from './windows.js';

/** Random applications of every operator that a model may contain. */
export const applications: Table = { ...elementwise, ...matrix, ...shape, ...windows, ...normalization };
