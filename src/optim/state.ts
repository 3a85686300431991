import { DataError } from '../errors.js';
import type { OptimizerState } from './types.js';

/** Bytes of a state, for a checkpoint: steps taken, then the slots in their order, all float64 little-endian. */
export function encodeState(state: OptimizerState): Uint8Array {
  const slots = Object.values(state.slots);
  const view = new DataView(new ArrayBuffer(8 * (1 + slots.reduce((total, slot) => total + slot.length, 0))));
  view.setFloat64(0, state.step, true);
  let at = 8;
  for (const slot of slots) {
    for (let i = 0; i < slot.length; i++, at += 8) view.setFloat64(at, slot[i]!, true);
  }
  return new Uint8Array(view.buffer);
}

/**
 * The state that `encodeState` wrote; `empty` is the optimiser's fresh state, whose slots and sizes it must have. Throws DataError
 * where it does not.
 */
export function decodeState(bytes: Uint8Array, empty: OptimizerState): OptimizerState {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const expected = encodeState(empty).length;
  const step = bytes.length === expected ? view.getFloat64(0, true) : NaN;
  if (!Number.isSafeInteger(step) || step < 0) {
    throw new DataError({
      given: `an optimiser state of ${bytes.length} bytes after ${step} steps`,
      expected: `${expected} bytes, starting with a whole number of steps`,
      remedy: 'resume with the model and optimiser that the checkpoint was written with',
    });
  }
  let at = 8;
  const slots = Object.entries(empty.slots).map(([name, { length }]) => {
    const slot = new Float64Array(length);
    for (let i = 0; i < length; i++, at += 8) slot[i] = view.getFloat64(at, true);
    return [name, slot] as const;
  });
  return { step, slots: Object.fromEntries(slots) };
}
