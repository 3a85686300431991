/**
 * Rectangles in their order beside and below one another, so that they fill a room: each is one of several forms that it may take, whose width is a linear
 * function of its height. Rows and columns of such rectangles are of that kind again, which makes the best way to cut a room in two, again and again, quick to find.
 */

/** A form that a rectangle may take: width = slope · height + rest. */
export interface Form {
  readonly slope: number;
  readonly rest: number;
}

/** Where a rectangle stands, in which of its forms. */
export interface Slot {
  readonly form: number;
  readonly x: number;
  readonly y: number;
  readonly height: number;
}

/** Several rectangles, from one on, as one. Shares of the area, over what each should have, are known but for a factor: the sum of their logarithms and of the squares. */
interface Part extends Form {
  readonly leaf: { readonly index: number; readonly form: number } | null;
  readonly first: Part | null;
  readonly second: Part | null;
  readonly isRow: boolean;
  readonly count: number;
  readonly sum: number;
  readonly squares: number;
}

/** Of parts whose slopes are alike, one is kept: slopes from 1/32 to 32, by factors of that number of parts. */
const [fewest, most, widest] = [10, 24, 32] as const;
/** How much worse it is to leave room than to share it unevenly. */
const leavingRoom = 3;

/** The room to be filled, and the height that a rectangle has at least. */
export interface Room {
  readonly width: number;
  readonly height: number;
  readonly least: number;
}

/** Places for all rectangles [n] in a room, each of a size near its weight; null where there is none. `forms` has those of each. */
export function fill(
  forms: readonly (readonly Form[])[],
  weights: readonly number[],
  { width, height, least }: Room,
): Slot[] | null {
  const n = forms.length;
  const bins = n > 16 ? fewest : most;
  const parts: (readonly Part[])[][] = forms.map((own, index) => {
    const sum = -Math.log(weights[index]!);
    const leaves = own.map((form, at) => ({ ...form, leaf: { index, form: at }, first: null, second: null, isRow: false, count: 1, sum, squares: sum * sum })); // prettier-ignore
    return [leaves];
  });
  // parts[i][k]: those of rectangles i … i + k.
  for (let k = 1; k < n - 1; k++)
    for (let i = 0; i + k < n; i++) {
      const best = new Map<number, Part>();
      for (const part of cutsOf(parts, i, k)) keep(best, part, bins);
      parts[i]!.push([...best.values()]);
    }
  // Of the whole, all are looked at: how well it fits depends on little.
  const ranked = (n === 1 ? [...parts[0]![0]!] : [...cutsOf(parts, 0, n - 1)])
    .map((part) => ({ part, cost: costOf(part, width, height) }))
    .sort((a, b) => a.cost - b.cost);
  for (const { part } of ranked) {
    const slots: Slot[] = [];
    if (place(part, { x: 0, y: 0, height: heightIn(part, width, height), least }, slots)) return slots;
  }
  return null;
}

/** Rectangles i … i + k, cut in two in all ways. */
function* cutsOf(parts: readonly (readonly (readonly Part[])[])[], i: number, k: number): Generator<Part> {
  for (let cut = 0; cut < k; cut++)
    for (const first of parts[i]![cut]!)
      for (const second of parts[i + cut + 1]![k - cut - 1]!)
        for (const isRow of [true, false]) yield joined(first, second, isRow);
}

function joined(first: Part, second: Part, isRow: boolean): Part {
  const [a, b] = [first.slope, second.slope];
  const slope = isRow ? a + b : 1 / (1 / a + 1 / b);
  const rest = isRow ? first.rest + second.rest : slope * (first.rest / a + second.rest / b);
  const shares = (isRow ? [a / slope, b / slope] : [slope / a, slope / b]).map(Math.log) as [number, number];
  let [sum, squares] = [0, 0];
  for (const [part, share] of [[first, shares[0]], [second, shares[1]]] as const) {
    sum += part.sum + part.count * share;
    squares += part.squares + 2 * part.sum * share + part.count * share * share;
  } // prettier-ignore
  return { slope, rest, leaf: null, first, second, isRow, count: first.count + second.count, sum, squares };
}

function keep(best: Map<number, Part>, part: Part, bins: number): void {
  const bin = Math.round((bins / 2) * (Math.log(part.slope) / Math.log(widest)));
  if (Math.abs(bin) > bins / 2) return;
  const before = best.get(bin);
  if (before === undefined || unevenness(part) < unevenness(before)) best.set(bin, part);
}

/** Variance of the logarithms of shares over weights. */
function unevenness({ count, sum, squares }: Part): number {
  return squares / count - (sum / count) ** 2;
}

/** The largest height at which a part fits. */
function heightIn({ slope, rest }: Form, width: number, height: number): number {
  return Math.min(height, (width - rest) / slope);
}

function costOf(part: Part, width: number, height: number): number {
  const own = heightIn(part, width, height);
  const used = Math.max(1e-9, (own * (part.slope * own + part.rest)) / (width * height));
  return unevenness(part) - leavingRoom * Math.log(used);
}

interface Corner {
  readonly x: number;
  readonly y: number;
  readonly height: number;
  readonly least: number;
}

/** Puts a part of that height at a place; false where one of its rectangles would be too low. */
function place(part: Part, corner: Corner, slots: Slot[]): boolean {
  const { first, second, leaf } = part;
  const { x, y, height } = corner;
  if (!(height >= corner.least)) return false;
  if (leaf !== null) slots[leaf.index] = { form: leaf.form, x, y, height };
  if (first === null || second === null) return true;
  if (part.isRow) {
    const across = first.slope * height + first.rest;
    return place(first, corner, slots) && place(second, { ...corner, x: x + across }, slots);
  }
  const width = part.slope * height + part.rest;
  const [above, below] = [(width - first.rest) / first.slope, (width - second.rest) / second.slope];
  return (
    place(first, { ...corner, height: above }, slots) &&
    place(second, { ...corner, y: y + above, height: below }, slots)
  );
}
