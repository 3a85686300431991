import { describe, expect, it } from 'vitest';
import { UsageError } from '../errors.js';
import { readOrRefuse } from './source.js';

describe('readOrRefuse', () => {
  it('turns whatever a parser throws into an error that names the file, and keeps the cause', async () => {
    const cause = new RangeError('Offset is outside the bounds of the DataView');
    const failure: unknown = await readOrRefuse('a.npz(x)', () => Promise.reject(cause)).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ tag: 'data', exitCode: 2, cause });
    expect(String(failure)).toMatch(/a\.npz\(x\): cannot be read \(Offset is outside/);
  });

  it('lets the project’s own errors and results through', async () => {
    const own = new UsageError({ given: 'a', expected: 'b', remedy: 'c' });
    await expect(readOrRefuse('f', () => Promise.reject(own))).rejects.toBe(own);
    expect(await readOrRefuse('f', () => 3)).toBe(3);
  });
});
