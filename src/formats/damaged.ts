import { DataError } from '../errors.js';

/** The error of a file whose bytes are not what its format says; `found` follows the file's name. */
export function damaged(file: string, found: string, expected: string, cause?: unknown): DataError {
  return new DataError(
    {
      given: `${file}: ${found}`,
      expected,
      remedy: 'write or fetch the file again; it may be cut off, or of another format than its name says',
    },
    { cause },
  );
}

/** The error of a file that is whole but not what was asked for. */
export function misfit(file: string, found: string, expected: string, remedy: string): DataError {
  return new DataError({ given: `${file}: ${found}`, expected, remedy });
}
