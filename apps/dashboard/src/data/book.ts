import type { ObjectiveData, RunData } from './load';
import { rowName } from './finest';
import { neuronName, parameterName } from './places';
import { checkpointsOf } from './pyramid';
import { allRows, rowSums } from './rows';
import { RangeSums } from './sums';

/** What the ledger book lists. */
export const entities = ['layer', 'tensor', 'module', 'kind', 'neuron', 'input', 'parameter'] as const;
export type Entity = (typeof entities)[number];

/** A table of one kind of entity over some segments; rows are looked up by index, so that millions of them cost nothing. */
export interface Book {
  readonly count: number;
  readonly name: (index: number) => string;
  /** Sums over the segments [count]. */
  readonly totals: ArrayLike<number>;
  /** Standing of errors: estimate of the sum's error [count]; null: none was stored. */
  readonly errors: ArrayLike<number> | null;
  /** Part of the entity's nonzero allocations in these segments that help, 0 … 1 [count]; null: not stored. */
  readonly helping: ArrayLike<number> | null;
  /** Part of its signs that are not determined [count]; null: not stored. */
  readonly undetermined: ArrayLike<number> | null;
}

/** Those that a run has numbers of. */
export function entitiesOf(run: RunData, own: ObjectiveData): Entity[] {
  const names = run.arrays;
  return entities.filter((entity) => {
    if (entity === 'layer') return true;
    if (entity === 'parameter') return own.finest === 'parameters';
    return names.includes(
      entity === 'neuron' ? `neuron_sums/${own.name}` : `entity_sums/${own.name}/${entity}`,
    );
  });
}

/** The book of some segments; null where another was asked for meanwhile. Throws where rows are damaged or too many. */
export async function bookOf(
  run: RunData,
  own: ObjectiveData,
  entity: Entity,
  [from, to]: readonly [number, number],
): Promise<Book | null> {
  if (entity === 'layer') return layerBook(run, own, from, to);
  if (entity === 'parameter') {
    const totals = await parameterSums(run, own).over(from, to);
    if (totals === null) return null;
    const name = (index: number) => parameterName(run.layout, index);
    return {
      count: totals.length,
      name,
      totals: new Float64Array(totals),
      errors: null,
      helping: null,
      undetermined: null,
    };
  }
  return entityBook(run, own, entity, from, to);
}

function layerBook({ layout }: RunData, own: ObjectiveData, from: number, to: number): Book {
  const L = layout.layers.length;
  const [helping, hurting] = [own.helping.over(from, to), own.hurting.over(from, to)];
  return {
    count: L,
    name: (index) => layout.layers[index]!,
    totals: own.layers.over(from, to),
    errors: own.layerError === null ? null : sumsOf(own.layerError.subarray(from * L, to * L), L),
    helping: helping.map((count, l) => count / (count + hurting[l]!)),
    undetermined:
      own.undetermined === null
        ? null
        : own.undetermined.over(from, to).map((count, l) => count / (helping[l]! + hurting[l]!)),
  };
}

/** Sums [width] of rows, of errors with their signs: errors of one sign add up. */
function sumsOf(values: Float64Array, width: number): Float64Array {
  const sums = new Float64Array(width);
  for (let k = 0; k < values.length; k++) sums[k % width]! += values[k]!;
  return sums.map(Math.abs);
}

async function entityBook(
  run: RunData,
  own: ObjectiveData,
  entity: Entity,
  from: number,
  to: number,
): Promise<Book> {
  const column = (name: string) => rowsOf(run, `${name}/${own.name}/${entity}`);
  const [sums, helping, hurting, undetermined] = await Promise.all([
    entity === 'neuron' ? rowsOf(run, `neuron_sums/${own.name}`) : column('entity_sums'),
    column('entity_helping'), column('entity_hurting'), column('entity_undetermined'),
  ]); // prettier-ignore
  const totals = rowSums(sums!, from, to);
  const [help, hurt] = [helping && rowSums(helping, from, to), hurting && rowSums(hurting, from, to)];
  const cells = run.layout.groupings.find(({ name }) => name === entity)!.cells;
  return {
    count: totals.length,
    name: entity === 'neuron' ? (index) => neuronName(run.layout, index) : (index) => cells[index]!,
    totals,
    errors: null,
    helping: help && hurt ? help.map((count, k) => count / (count + hurt[k]!)) : null,
    undetermined:
      undetermined && help && hurt
        ? rowSums(undetermined, from, to).map((count, k) => count / (help[k]! + hurt[k]!))
        : null,
  };
}

const kept = new WeakMap<RunData, Map<string, ReturnType<typeof allRows>>>();

/** Rows that were read once stay while the run does not grow. */
function rowsOf(run: RunData, name: string): ReturnType<typeof allRows> {
  const own = kept.get(run) ?? new Map<string, ReturnType<typeof allRows>>();
  kept.set(run, own);
  const rows = own.get(name) ?? allRows(run, name);
  own.set(name, rows);
  return rows;
}

const walkers = new WeakMap<RunData['reader'], Map<string, RangeSums>>();

function parameterSums(run: RunData, own: ObjectiveData): RangeSums {
  const known = walkers.get(run.reader) ?? new Map<string, RangeSums>();
  walkers.set(run.reader, known);
  const sums =
    known.get(own.name) ??
    new RangeSums(run.reader, rowName(own), run.layout.size, () => checkpointsOf(run, own, true));
  known.set(own.name, sums);
  return sums;
}
