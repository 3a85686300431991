import { zipSync } from 'fflate';

type Numbers = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;

const descriptors: Readonly<Record<string, string>> = {
  Float32Array: '<f4',
  Float64Array: '<f8',
  Int32Array: '<i4',
  BigInt64Array: '<i8',
  Uint8Array: '|u1',
};

/** An array as numpy.save writes it (format 1.0). */
export function npyFile(data: Numbers, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]!},)` : `(${shape.join(', ')})`;
  const header = `{'descr': '${descriptors[data.constructor.name]!}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const padded = header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11) + '\n';
  const start = Buffer.alloc(10);
  start.write('\x93NUMPY\x01\x00', 'latin1');
  start.writeUInt16LE(padded.length, 8);
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.concat([start, Buffer.from(padded, 'latin1'), bytes]);
}

/** Arrays as numpy.savez writes them. */
export function npzFile(
  arrays: Readonly<Record<string, { data: Numbers; shape: readonly number[] }>>,
): Uint8Array {
  return zipSync(
    Object.fromEntries(
      Object.entries(arrays).map(([name, { data, shape }]) => [`${name}.npy`, npyFile(data, shape)]),
    ),
    { level: 0 },
  );
}

/** The numbers of a little-endian float32 or float64 `.npy` file. */
export function npyNumbers(bytes: Buffer): Float32Array | Float64Array {
  const header = bytes.toString('latin1', 10, 10 + bytes.readUInt16LE(8));
  const data = Uint8Array.prototype.slice.call(bytes, 10 + header.length);
  return header.includes('<f8') ? new Float64Array(data.buffer) : new Float32Array(data.buffer);
}
