import { overfitting } from '../analysis/overfitting.js';
import { standardErrors } from '../analysis/sampling.js';
import { UsageError } from '../errors.js';
import { sampleBlocksOf } from '../format/manifest.js';
import type { ArrayReading } from '../format/read-array.js';
import type { RunReader } from '../format/reader.js';
import { sizeOf } from '../graph/types.js';
import { columnEntries } from '../ledger/columns.js';
import type { Numbers } from '../ledger/types.js';

/** What is asked of a run. */
export interface Quantity {
  /** One of `exportable`. */
  readonly what: string;
  /** Objective whose column it is; default the run's first. Of the overfitting the held-out one; default the first but `train`. */
  readonly objective?: string;
  /** Part of the objective: its name, else its index; default all of it. */
  readonly part?: string;
  /** What allocations are summed and signs counted over: `parameter` or a grouping. */
  readonly entity?: string;
}

/** What can be exported: θ, the order of the examples, every column of the ledger, and what is derived from columns. */
export const exportable: readonly string[] = ['theta', 'order', ...columnEntries().map(([name]) => name), 'overfitting', 'standard_error', 'loss_standard_error']; // prettier-ignore

/** Opens what is asked for, rows unread. Throws UsageError where the run cannot have it, StoreError where it was not kept. */
export function quantityOf(run: RunReader, asked: Quantity): ArrayReading {
  if (asked.what === 'overfitting') return overfittingOf(run, asked);
  if (asked.what.endsWith('standard_error')) return standardErrorOf(run, asked);
  const name = arrayNameOf(run, asked);
  const array = run.array(name);
  if (asked.part === undefined) return array;
  return partOf(array, partOfRun(run, { ...asked, part: asked.part }));
}

/** The training objective's allocations less the held-out one's. Throws UsageError where the run does not have both. */
function overfittingOf(run: RunReader, { objective, entity = 'layer', part }: Quantity): ArrayReading {
  const names = run.manifest.objectives.map(({ name }) => name);
  const heldOut = objective ?? names.find((name) => name !== 'train');
  if (!names.includes('train') || heldOut === undefined || heldOut === 'train') {
    throw new UsageError({
      given: `overfitting of a run that measured ${names.join(', ')}`,
      expected: 'train, and an objective that is held out',
      remedy: 'measure both, such as --measure train,test; name the second with --objective',
    });
  }
  const of = (name: string) =>
    quantityOf(run, { what: 'allocation', objective: name, entity, ...(part === undefined ? {} : { part }) });
  return overfitting(of('train'), of(heldOut));
}

/**
 * Standard errors of losses, or of allocations by layer, neuron or tensor, that were measured on a sample, of the whole objective or of a part.
 * Throws UsageError where it was measured on all its examples.
 */
function standardErrorOf(run: RunReader, asked: Quantity): ArrayReading {
  const name = objectiveOf(run, asked);
  const objective = run.manifest.objectives.find((own) => own.name === name)!;
  const part =
    asked.part === undefined ? null : objective.parts[partOfRun(run, { ...asked, part: asked.part }).index]!;
  const blocks = sampleBlocksOf(objective, part);
  if (blocks === null) {
    throw unfit(
      `--what ${asked.what} of ${part === null ? '' : `part ${part.name} of `}${name}`,
      'an objective that was measured on a sample, or its part by class or group',
      'measure it with --sample',
    );
  }
  const ofLoss = asked.what === 'loss_standard_error';
  if (ofLoss && asked.entity !== undefined)
    throw unfit(`--what ${asked.what} with --entity`, 'neither', 'leave it out');
  const column = ofLoss ? 'part_loss' : partColumn('allocation', asked.entity ?? 'layer');
  const parts = run.array(`${column}/${name}`);
  const first = blocks.members[0]!;
  const one = partOf(parts, { name: objective.parts[first]!.name, index: first });
  const rows = async function* () {
    for await (const row of parts.rows())
      yield standardErrors(row as Float64Array, sizeOf(one.shape.slice(1)), blocks);
  };
  const description = `standard error over ${blocks.members.length} blocks: ${parts.description}`;
  return { ...one, name: `${asked.what}/${name}`, dtype: 'float64', description, rows };
}

/** Columns of allocations and signs by layer, and the names under which those by other groupings are kept. */
const families: Readonly<Record<string, { byLayer: string; byGrouping: string }>> = {
  allocation: { byLayer: 'layer_sums', byGrouping: 'entity_sums' },
  helping: { byLayer: 'helping', byGrouping: 'entity_helping' },
  hurting: { byLayer: 'hurting', byGrouping: 'entity_hurting' },
  zero: { byLayer: 'zero', byGrouping: 'entity_zero' },
};

/** The array that holds a quantity. */
function arrayNameOf(run: RunReader, asked: Quantity): string {
  const { what, entity, part } = asked;
  const { column, grouping } = columnOf(run, asked);
  const of = columnEntries().find(([name]) => name === column)?.[1].of;
  if (of === undefined || of === 'run') {
    if (entity === undefined && part === undefined) return column;
    throw unfit(`--what ${what} with ${entity === undefined ? '--part' : '--entity'}`, 'neither: it is one for the whole run', 'leave it out'); // prettier-ignore
  }
  if (of === 'grouping' && grouping === null) {
    throw unfit(
      `--what ${what} without --entity`,
      `--entity with one of ${entities(run).join(', ')}`,
      'name one',
    );
  }
  return [column, objectiveOf(run, asked), ...(grouping === null ? [] : [grouping])].join('/');
}

/** The column, and the grouping whose array of it is meant. */
function columnOf(
  run: RunReader,
  { what, entity, part }: Quantity,
): { column: string; grouping: string | null } {
  if (entity !== undefined && entity !== 'parameter' && !entities(run).includes(entity)) {
    throw unfit(`--entity ${entity}`, `one of parameter, ${entities(run).join(', ')}`, 'choose one of these');
  }
  if (part !== undefined) return { column: partColumn(what, entity), grouping: null };
  if (what.startsWith('entity_')) return { column: what, grouping: entity ?? null };
  const family = families[what];
  if (entity === undefined || (what === 'allocation' && entity === 'parameter'))
    return { column: what, grouping: null };
  if (family === undefined || entity === 'parameter') {
    throw unfit(`--what ${what} with --entity ${entity}`, `--what ${Object.keys(families).join(', ')}`, 'leave out --entity'); // prettier-ignore
  }
  if (entity === 'layer') return { column: family.byLayer, grouping: null };
  if (entity === 'neuron' && what === 'allocation') return { column: 'neuron_sums', grouping: null };
  return { column: family.byGrouping, grouping: entity };
}

const entities = ({ layout }: RunReader): string[] => layout.groupings.map(({ name }) => name);

/** The column of parts that says the same of a part as `what` says of the whole. */
function partColumn(what: string, entity: string | undefined): string {
  if (what.startsWith('part_') && entity === undefined) return what;
  if (what === 'loss' && entity === undefined) return 'part_loss';
  const kept: Readonly<Record<string, string>> = {
    parameter: 'part_allocation',
    layer: 'part_layer_sums',
    neuron: 'part_neuron_sums',
    tensor: 'part_tensor_sums',
  };
  const column = what === 'allocation' ? kept[entity ?? 'parameter'] : undefined;
  if (column !== undefined) return column;
  throw unfit(
    `--what ${what}${entity === undefined ? '' : ` --entity ${entity}`} of a part`,
    `loss, or allocation with --entity ${Object.keys(kept).join(', ')}`,
    'leave out --part, or choose one of these',
  );
}

function objectiveOf({ manifest }: RunReader, { objective }: Quantity): string {
  const names = manifest.objectives.map(({ name }) => name);
  if (objective === undefined || names.includes(objective)) return objective ?? names[0]!;
  throw unfit(
    `--objective ${objective}`,
    `an objective of the run: ${names.join(', ')}`,
    'name one of these',
  );
}

/** Name and index of a part, found by its name, else by its number. */
function partOfRun(
  run: RunReader,
  asked: Quantity & { readonly part: string },
): { name: string; index: number } {
  const objective = objectiveOf(run, asked);
  const names = run.manifest.objectives.find(({ name }) => name === objective)!.parts.map(({ name }) => name);
  const named = names.indexOf(asked.part);
  const index = named >= 0 || !/^\d+$/.test(asked.part) ? named : Number(asked.part);
  if (names[index] !== undefined) return { name: names[index], index };
  throw unfit(
    `--part ${asked.part} of ${objective}`,
    `one of ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', …' : ''}, or an index below ${names.length}`,
    'name one of these',
  );
}

/** One part of an array [T, parts, …]. */
function partOf(array: ArrayReading, { name, index: part }: { name: string; index: number }): ArrayReading {
  const axis = array.dimensions.indexOf('part');
  const [rows, parts, ...rest] = array.shape;
  const width = sizeOf(rest);
  if (axis !== 1) throw unfit(`--part with ${array.name}`, 'a column that is by part', 'leave out --part');
  const own = (numbers: Numbers): Numbers => numbers.subarray(part * width, (part + 1) * width);
  const columns = () =>
    array
      .columns()
      .slice(part * width, (part + 1) * width)
      .map((column) => column.replace(`${name}, `, ''));
  return {
    ...array,
    shape: [rows!, ...rest],
    dimensions: array.dimensions.filter((dimension) => dimension !== 'part'),
    description: `${array.description}, part ${name} (${part} of ${parts!})`,
    columns,
    rows: async function* () {
      for await (const row of array.rows()) yield own(row);
    },
  };
}

function unfit(given: string, expected: string, remedy: string): UsageError {
  return new UsageError({ given, expected, remedy });
}
