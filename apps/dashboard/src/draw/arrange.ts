import { extentOf, type Placed, type Tiling } from './sheet.js';
import { fill } from './slicing.js';

/** Room above a block for its name, and between blocks, in pixels. */
const [titleRoom, sideRoom] = [20, 16];
/** Between tensors of a block, and below all. */
const [besideRoom, bottomRoom] = [4, 6];

/** Layers of which the best arrangement is looked for; of more, some room lost is little. */
const mostSliced = 40;
/** Width over height of a matrix that is shown as it is; what is longer is folded, where it can be. */
const usualAspect = 3;
/** Those that what is folded may have: from a quarter to four. */
const foldedAspects = Array.from({ length: 13 }, (_, k) => 2 ** ((k - 6) / 3));

interface Block {
  readonly main: Tiling;
  readonly others: readonly Tiling[];
}

/** Whether its values may be in rows of any length. */
function isVector({ tile, group }: Tiling): boolean {
  return tile[0] * tile[1] === 1 && group === 1;
}

/** Tilings by layer: the largest, and beside it the others as columns of its height. */
function blocksOf(tilings: readonly Tiling[]): Block[] {
  const byLayer = new Map<number, Tiling[]>();
  for (const tiling of tilings) byLayer.set(tiling.layer, [...(byLayer.get(tiling.layer) ?? []), tiling]);
  return [...byLayer.values()].map((own) => {
    const largest = own.reduce((best, tiling) => (tiling.count > best.count ? tiling : best));
    // A vector that has a block to itself is folded: as a column it would be higher than all matrices.
    const main =
      isVector(largest) && largest.columns === 1
        ? { ...largest, columns: Math.ceil(Math.sqrt(largest.count)) }
        : largest;
    const height = extentOf(main)[1];
    const others = own
      .filter((tiling) => tiling !== largest)
      .map((tiling) =>
        isVector(tiling) ? { ...tiling, columns: Math.ceil(tiling.count / height) } : tiling,
      );
    return { main, others };
  });
}

/** Lays the tensors of all layers out in their order, as large as they are in width × height. */
export function layOut(tilings: readonly Tiling[], width: number, height: number): Placed[] {
  const blocks = blocksOf(tilings);
  const found = blocks.length > mostSliced ? null : sliced(blocks, width, height);
  return found ?? shelved(blocks, width, height);
}

/** A block in one of its forms: the tilings beside one another, each as high as the first at most. */
function formsOf({ main, others }: Block): { tilings: Tiling[]; columns: number; rows: number }[] {
  return foldings(main).map((own) => {
    const tall = extentOf(own)[1];
    const beside = others.map((tiling) =>
      isVector(tiling) ? { ...tiling, columns: Math.ceil(tiling.count / tall) } : tiling,
    );
    const tilings = [own, ...beside];
    const extents = tilings.map(extentOf);
    return {
      tilings,
      columns: extents.reduce((total, [across]) => total + across, 0),
      rows: Math.max(...extents.map(([, down]) => down)),
    };
  });
}

/** A tiling as it is, or, where that is long, with other numbers of tiles in a row. */
function foldings(own: Tiling): Tiling[] {
  const { count, tile, group, gap } = own;
  const tiles = Math.ceil(count / (tile[0] * tile[1]));
  const [across, down] = extentOf(own);
  const isUsual = across <= usualAspect * down && down <= usualAspect * across;
  if (tiles === 1 || (isUsual && group > 4)) return [own];
  const columns = foldedAspects.map((aspect) => {
    const wanted = Math.sqrt((tiles * aspect * (tile[0] + gap)) / (tile[1] + gap));
    if (wanted >= group)
      return Math.min(Math.round(wanted / group) * group, group * Math.ceil(tiles / group));
    let parts = Math.max(1, Math.round(group / wanted));
    while (group % parts !== 0) parts++;
    return group / parts;
  });
  return [...new Set(columns)].map((wanted) => ({ ...own, columns: wanted }));
}

/** By the best way to cut the room in two, again and again; null where there is none. */
function sliced(blocks: readonly Block[], width: number, height: number): Placed[] | null {
  const own = blocks.map(formsOf);
  const forms = own.map((each) =>
    each.map(({ tilings, columns, rows }) => {
      const slope = columns / rows;
      return { slope, rest: tilings.length * besideRoom + sideRoom - slope * titleRoom };
    }),
  );
  const weights = own.map(([first]) =>
    Math.sqrt(first!.tilings.reduce((total, { count }) => total + count, 0)),
  );
  const slots = fill(forms, weights, {
    width: width - sideRoom / 2,
    height: height - bottomRoom,
    least: titleRoom + 1,
  });
  if (slots === null) return null;
  return slots.flatMap((slot, index) => {
    const { tilings, rows } = own[index]![slot.form]!;
    const cell = (slot.height - titleRoom) / rows;
    let x = slot.x + sideRoom / 2;
    return tilings.map((tiling) => {
      const extent = extentOf(tiling);
      const placed = { ...tiling, x, y: slot.y + titleRoom, cell, extent };
      x += extent[0] * cell + besideRoom;
      return placed;
    });
  });
}

/** Small layers get larger cells: the side of a block grows as the root of its matrix's. */
function cellOf({ main }: Block): number {
  const [columns, rows] = extentOf(main);
  return (columns * rows) ** -0.25;
}

/** In rows; the largest scale that fits into width × height. */
function shelved(blocks: readonly Block[], width: number, height: number): Placed[] {
  let [low, high] = [0, 4096];
  for (let step = 0; step < 40; step++) {
    const scale = Math.sqrt(Math.max(low, 1e-3) * high);
    if (packed(blocks, scale, width).bottom <= height) low = scale;
    else high = scale;
  }
  return packed(blocks, Math.max(low, 1e-3), width).placed;
}

/** Rows of columns: a block goes below the one before where the row is high enough, else beside it, else into a new row. */
function packed(
  blocks: readonly Block[],
  scale: number,
  width: number,
): { placed: Placed[]; bottom: number } {
  const placed: Placed[] = [];
  let [left, top, next, row, tallest, widest] = [sideRoom / 2, titleRoom, sideRoom / 2, titleRoom, 0, 0];
  for (const block of blocks) {
    const cell = cellOf(block) * scale;
    const own = [block.main, ...block.others].map((tiling) => ({ tiling, extent: extentOf(tiling) }));
    const across = own.reduce((total, { extent }) => total + extent[0] * cell + besideRoom, 0);
    const down = Math.max(...own.map(({ extent }) => extent[1] * cell));
    const fitsBelow = top > row && top + down <= row + tallest && left + across <= width;
    if (!fitsBelow) {
      [left, top] = [next, row];
      if (left > sideRoom && left + across > width)
        [left, top, row, tallest] = [
          sideRoom / 2,
          row + tallest + titleRoom + 4,
          row + tallest + titleRoom + 4,
          0,
        ];
    }
    let x = left;
    for (const { tiling, extent } of own) {
      placed.push({ ...tiling, x, y: top, cell, extent });
      x += extent[0] * cell + besideRoom;
    }
    next = fitsBelow ? Math.max(next, x + sideRoom) : x + sideRoom;
    tallest = Math.max(tallest, top + down - row);
    widest = Math.max(widest, x);
    top += down + titleRoom;
  }
  return { placed, bottom: widest > width ? Infinity : row + tallest + bottomRoom };
}
