import type { Value } from '../../graph/types.js';
import type { StaticTensor } from '../static-tensor.js';

/** What a name of the model stands for while it is translated: a value of our graph, or numbers known already. */
export type Operand = Value | StaticTensor;

export function isStatic(operand: Operand): operand is StaticTensor {
  return 'data' in operand;
}
