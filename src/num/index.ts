export { fold, key, normal, permutation, split, truncatedNormal, uniform, type Key } from './random.js';
export { addInto, addScaledInto, dot, firstNonFinite, type Floats, norm, sum } from './sums.js';
export { Spares } from './spares.js';
