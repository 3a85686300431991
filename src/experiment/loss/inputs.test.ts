import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../data/types.js';
import type { Model } from '../../models/types.js';
import { checkConfig } from '../config/file.js';
import { requirePixels } from './inputs.js';

const model = (readsWholeNumbers: boolean): Model => ({
  name: 'small',
  inputShape: [2],
  outputs: 1,
  further: [{ name: 'age', shape: [1], readsWholeNumbers }],
  build: () => { throw new Error('not built'); },
}); // prettier-ignore

/** Two examples of two bytes, and an age of each, scaled as they are read. */
function dataset(ages: Uint8Array | Float32Array, divisor: number): Dataset {
  const further = [{ name: 'age', shape: [1], values: ages }];
  const train = { inputs: Uint8Array.of(0, 255, 7, 9), labels: new Int32Array(2), count: 2, shape: [2], further };
  const transform = { dtype: 'uint8', divisor: 255, mean: [], std: [], further: { age: { divisor, dtype: 'uint8' } } };
  return { name: 'made', splits: { train }, transform } as unknown as Dataset;
} // prettier-ignore

describe('bytes that are one number an example', () => {
  const tried = (ages: Uint8Array | Float32Array, divisor: number, settings: object = {}, whole = false) => () => {
    requirePixels(checkConfig(settings, 'the test'), model(whole), dataset(ages, divisor));
  }; // prettier-ignore

  it('are refused where they would be divided as pixels', () => {
    expect(tried(Uint8Array.of(3, 90), 255)).toThrow(/age of bytes, one number an example, the largest 90/);
    expect(tried(Uint8Array.of(3, 90), 255)).toThrow(/age\.astype\("float32"\), or say --divisor/);
  });

  it('are read where nothing is divided, a divisor is given, or the network reads whole numbers', () => {
    expect(tried(Uint8Array.of(0, 1), 1)).not.toThrow();
    expect(tried(Float32Array.of(3, 90), 1)).not.toThrow();
    expect(tried(Uint8Array.of(3, 90), 255, { divisor: 1 })).not.toThrow();
    expect(tried(Uint8Array.of(3, 90), 255, { standardise: true })).not.toThrow();
    expect(tried(Uint8Array.of(3, 90), 255, {}, true)).not.toThrow();
  });
});
