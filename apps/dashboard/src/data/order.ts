/**
 * Rows in the order of their keys, smallest first, NaN last; equal ones stay as they were. Millions of rows take some tens of milliseconds: two
 * passes over the keys as float32, then neighbours that differ by less than that are put right.
 */
export function sortedBy(keys: ArrayLike<number>, rows: Uint32Array): Uint32Array {
  const singles = Float32Array.from({ length: 1 });
  const bits = new Uint32Array(singles.buffer);
  const ranks = new Uint32Array(rows.length);
  for (let at = 0; at < rows.length; at++) {
    const key = keys[rows[at]!]!;
    // Minus zero is zero.
    singles[0] = key + 0;
    const own = bits[0]!;
    ranks[at] = Number.isNaN(key) ? 0xffffffff : own >>> 31 === 1 ? ~own : own | 0x80000000;
  }
  const [order] = [0, 16].reduce(
    ([from, fromRanks], shift) => {
      const starts = new Uint32Array(65537);
      for (const rank of fromRanks) starts[((rank >>> shift) & 0xffff) + 1]!++;
      for (let digit = 0; digit < 65536; digit++) starts[digit + 1]! += starts[digit]!;
      const [to, toRanks] = [new Uint32Array(from.length), new Uint32Array(from.length)];
      for (let at = 0; at < from.length; at++) {
        const place = starts[(fromRanks[at]! >>> shift) & 0xffff]!++;
        to[place] = from[at]!;
        toRanks[place] = fromRanks[at]!;
      }
      return [to, toRanks] as [Uint32Array, Uint32Array];
    },
    [rows, ranks] as [Uint32Array, Uint32Array],
  );
  putRight(keys, order);
  return order;
}

/** Sorts what is all but sorted, by insertion. */
function putRight(keys: ArrayLike<number>, order: Uint32Array): void {
  for (let at = 1; at < order.length; at++) {
    const row = order[at]!;
    let place = at;
    while (place > 0 && keys[order[place - 1]!]! > keys[row]!) {
      order[place] = order[place - 1]!;
      place--;
    }
    order[place] = row;
  }
}
