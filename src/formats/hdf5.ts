import type { Dataset, File } from 'h5wasm/node';
import { damaged } from './damaged.js';

/** An open HDF5 file of arrays at its top level. */
export interface Hdf5File {
  /** Shape and type of a top-level array; null where there is none of that name. */
  describe(name: string): { readonly shape: readonly number[]; readonly dtype: string } | null;
  /** An attribute of the file as text: one string, or several joined by semicolons; null where there is none. */
  text(name: string): string | null;
  /** Row `t` of a float32 array [rows, width]. */
  row(name: string, t: number): Float32Array;
  close(): void;
}

/** Opens an HDF5 file for reading. Throws DataError where the library cannot make sense of it. */
export async function openHdf5(path: string): Promise<Hdf5File> {
  const library = await import('h5wasm/node');
  const module = await library.ready;
  // Otherwise the library prints its stack of errors and goes on.
  module.activate_throwing_error_handler();
  const guarded = <T>(read: () => T): T => {
    try {
      return read();
    } catch (cause) {
      throw damaged(path, 'not readable as HDF5', 'a whole HDF5 file', cause);
    }
  };
  const file: File = guarded(() => new library.File(path, 'r'));
  const array = (name: string): Dataset | null => {
    const entity = file.keys().includes(name) ? file.get(name) : null;
    return entity instanceof library.Dataset ? entity : null;
  };
  return {
    describe: (name) =>
      guarded(() => {
        const found = array(name);
        return (
          found && {
            shape: found.shape ?? [],
            dtype: typeof found.dtype === 'string' ? found.dtype : 'compound',
          }
        );
      }),
    text: (name) =>
      guarded(() => {
        const value: unknown = file.attrs[name]?.value ?? null;
        if (Array.isArray(value)) return value.map(String).join(';');
        return typeof value === 'string' ? value.replace(/\0+$/, '') : null;
      }),
    row: (name, t) =>
      guarded(() => {
        const value = array(name)!.slice([[t, t + 1], []]);
        if (value instanceof Float32Array) return value;
        throw new TypeError(`row ${t} is no float32 array`);
      }),
    close: () => void file.close(),
  };
}
