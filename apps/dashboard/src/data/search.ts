/** Work goes on for so long before what else the page has to do is let in. */
const sliceMilliseconds = 8;
/** Names between two looks at the clock. */
const namesAtOnce = 512;

/**
 * Rows 0 … count − 1 whose names contain a text, in lower case, in their order. Millions of names take a second or more: the page goes on meanwhile.
 *
 * @returns Null where it was not wanted any more on the way.
 */
export async function rowsNamed(
  { count, name }: { readonly count: number; readonly name: (index: number) => string },
  text: string,
  isWanted: () => boolean,
): Promise<Uint32Array | null> {
  const found = new Uint32Array(count);
  let [length, began] = [0, performance.now()];
  for (let from = 0; from < count; from += namesAtOnce) {
    const to = Math.min(count, from + namesAtOnce);
    for (let k = from; k < to; k++) if (name(k).toLowerCase().includes(text)) found[length++] = k;
    if (performance.now() - began < sliceMilliseconds) continue;
    await new Promise((done) => setTimeout(done));
    if (!isWanted()) return null;
    began = performance.now();
  }
  return found.slice(0, length);
}
