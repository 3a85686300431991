import type { LeftOut } from '../analysis/coverage.js';
import { type Parameter, sizeOf } from '../graph/types.js';
import type { ModelWeights } from '../trajectory/types.js';
import type { Recorded } from './recorded.js';

/**
 * What a network's file and a recording have that θ has not: weights held constant, constants of more than one number (`buffers` among them,
 * whatever they look like), tensors that were passed over.
 */
export function leftOutOf(
  { tensors }: ModelWeights,
  parameters: readonly Parameter[],
  { passed, buffers }: Pick<Recorded, 'passed' | 'buffers'>,
): LeftOut[] {
  const own = new Set(parameters.map(({ value }) => value.name));
  const others = tensors.filter(({ name, shape }) => !own.has(name) && sizeOf(shape ?? []) > 1);
  return [
    ...others.map(({ name, shape, verdict }): LeftOut => {
      const isHeld = (verdict === 'trained' || verdict === 'likely') && !buffers.includes(name);
      const why = isHeld ? 'held constant' : 'constant';
      return { name, numbers: sizeOf(shape ?? []), why, motion: 0 };
    }),
    ...passed.map((tensor): LeftOut => ({ ...tensor, why: 'not in the model' })),
  ];
}
