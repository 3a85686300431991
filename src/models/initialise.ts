import type { Initializer, Parameter } from '../graph/types.js';
import { parameterCount, sizeOf } from '../graph/types.js';
import { fold, truncatedNormal, uniform } from '../num/random.js';
import type { Key } from '../num/random.js';

/**
 * θ_0 [K]: every parameter started as its initialiser says, in declared order. `key` is the run's key; each tensor's numbers
 * depend on it and the tensor's name alone, so networks that share a layer start it alike.
 */
export function initialise(parameters: readonly Parameter[], key: Key): Float32Array {
  const theta = new Float32Array(parameterCount(parameters));
  const ownKey = fold(key, 'initialise');
  let at = 0;
  for (const { value, initializer } of parameters) {
    const size = sizeOf(value.shape);
    theta.set(startingValues(initializer, size, fold(ownKey, value.name)), at);
    at += size;
  }
  return theta;
}

function startingValues(initializer: Initializer, size: number, key: Key): ArrayLike<number> {
  switch (initializer.kind) {
    case 'zeros':
      return new Float32Array(size);
    case 'ones':
      return new Float32Array(size).fill(1);
    case 'heNormal': {
      const deviation = Math.sqrt(2 / initializer.fanIn);
      return truncatedNormal(key, size).map((draw) => draw * deviation);
    }
    case 'glorotUniform': {
      const limit = Math.sqrt(6 / (initializer.fanIn + initializer.fanOut));
      return uniform(key, size).map((draw) => (2 * draw - 1) * limit);
    }
    case 'values':
      return initializer.data;
  }
}
