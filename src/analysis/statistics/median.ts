/** The median of an ascending list [n]: its middle, or the mean of the two in the middle; null without any. */
export function medianOf(ascending: ArrayLike<number>): number | null {
  const { length } = ascending;
  return length === 0 ? null : (ascending[(length - 1) >> 1]! + ascending[length >> 1]!) / 2;
}
