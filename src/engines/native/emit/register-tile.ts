import { splitEvenly } from './tiles.js';

/** Extents of a tile of sums that stays in registers. */
export interface RegisterTile {
  readonly rows: number;
  readonly columns: number;
}

/** Cycles between dependent multiply-adds, and multiply-adds or loads per cycle, of current processors. */
const LATENCY = 4;
const PER_CYCLE = 2;

/** Cycles that a load costs beside multiply-adds that hide it: a row's is one number, a column's a whole vector. */
const ROW_LOAD = 0.03;
const COLUMN_LOAD = 0.1;

/** Estimated cycles of one step of a tile: multiply-adds, loads, or the wait for the sums of the step before. */
function cycles(rows: number, columns: number): number {
  return Math.max((rows * columns) / PER_CYCLE, (rows + columns) / PER_CYCLE, LATENCY);
}

function totalCycles(rows: number, columns: number, tile: RegisterTile): number {
  let total = 0;
  for (const r of splitEvenly(rows, tile.rows)) {
    for (const c of splitEvenly(columns, tile.columns)) {
      total += r.count * c.count * (cycles(r.size, c.size) + ROW_LOAD * r.size + COLUMN_LOAD * c.size);
    }
  }
  return total;
}

/** True where the sums, the operands of all columns and one of a row fit into the registers. */
function fits(tile: RegisterTile, registers: number): boolean {
  return tile.rows * tile.columns + tile.columns + 1 <= registers;
}

/** The tile that covers `rows` × `columns` with the fewest estimated cycles; among equals the one with fewer loads. */
export function registerTile(rows: number, columns: number, registers: number, largest = 9): RegisterTile {
  let best: RegisterTile = { rows: 1, columns: 1 };
  let bestCost = Infinity;
  for (let r = 1; r <= Math.min(rows, largest); r++) {
    for (let c = 1; c <= Math.min(columns, largest); c++) {
      const tile = { rows: r, columns: c };
      const cost = totalCycles(rows, columns, tile);
      if (fits(tile, registers) && cost < bestCost) {
        best = tile;
        bestCost = cost;
      }
    }
  }
  return best;
}
