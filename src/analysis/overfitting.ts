import { DataError } from '../errors.js';
import type { ArrayReading } from '../format/read-array.js';
import type { Numbers } from '../ledger/types.js';

/**
 * Overfitting allocation: how much further a segment moved the training loss down through an entity than the held-out loss, as the
 * difference of two stored columns of allocations, in the loss's unit; negative where the motion helped on the training examples more
 * than on the others. Nothing of it is stored.
 *
 * @param train a column of the training objective, by layer, neuron or parameter: [T, …].
 * @param heldOut the same column of another objective.
 * @throws DataError where the two do not have the same rows.
 */
export function overfitting(train: ArrayReading, heldOut: ArrayReading): ArrayReading {
  if (train.shape.join() !== heldOut.shape.join() || train.dimensions.join() !== heldOut.dimensions.join()) {
    throw new DataError({
      given: `${train.name} [${train.shape.join(', ')}] and ${heldOut.name} [${heldOut.shape.join(', ')}]`,
      expected: 'the same column of two objectives of one run',
      remedy: 'name two objectives that were measured on the same segments',
    });
  }
  return {
    ...train,
    name: `${train.name} - ${heldOut.name}`,
    dtype: 'float64',
    description: `overfitting: ${train.description} less that of ${heldOut.name}`,
    rows: () => differences(train.rows(), heldOut.rows()),
  };
}

/** Row by row, in float64. */
async function* differences(a: AsyncIterable<Numbers>, b: AsyncIterable<Numbers>): AsyncGenerator<Numbers> {
  const others = b[Symbol.asyncIterator]();
  for await (const row of a) {
    const other = (await others.next()).value as Numbers;
    yield Float64Array.from(row, (value, k) => value - other[k]!);
  }
}
