/** A safetensors file of float32 (or, given as numbers of another array type, int64 and float64) tensors. */
export function encodeSafetensors(
  tensors: Readonly<
    Record<
      string,
      { readonly shape: readonly number[]; readonly data: Float32Array | Float64Array | BigInt64Array }
    >
  >,
): Uint8Array {
  let offset = 0;
  const header = Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => {
      const dtype = data instanceof Float32Array ? 'F32' : data instanceof Float64Array ? 'F64' : 'I64';
      const span = [offset, (offset += data.byteLength)];
      return [name, { dtype, shape, data_offsets: span }];
    }),
  );
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  const bodies = Object.values(tensors).map(
    ({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  );
  return Buffer.concat([length, text, ...bodies]);
}
