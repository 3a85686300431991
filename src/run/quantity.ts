import { overfitting } from '../analysis/overfitting.js';
import { UsageError } from '../errors.js';
import type { ArrayReading } from '../format/read-array.js';
import type { RunReader } from '../format/reader.js';
import { sizeOf } from '../graph/types.js';
import { columnEntries } from '../ledger/columns.js';
import { unpackedSigns } from '../ledger/measures/gradients.js';
import type { Numbers, ParameterLayout } from '../ledger/types.js';

/** What is asked of a run. */
export interface Quantity {
  /** One of `exportable`. */
  readonly what: string;
  /** Objective whose column it is; default the run's first. Of the overfitting the held-out one; default the first but `train`. */
  readonly objective?: string;
  /** Part of the objective: its name, else its index; default all of it. */
  readonly part?: string;
  /** Component of the update: its name, or the beginning of several names before a slash, which are added up; default all of it. */
  readonly component?: string;
  /** What allocations are summed and signs counted over: `parameter` or a grouping. */
  readonly entity?: string;
}

/** What can be exported: θ, the order of the examples, every column of the ledger, and what is derived from columns. */
export const exportable: readonly string[] = ['theta', 'order', 'batches', 'split', 'basis', ...columnEntries().map(([name]) => name), 'overfitting']; // prettier-ignore

/** Opens what is asked for, rows unread. Throws UsageError where the run cannot have it, StoreError where it was not kept. */
export function quantityOf(run: RunReader, asked: Quantity): ArrayReading {
  if (asked.what === 'overfitting') return overfittingOf(run, asked);
  if (asked.what === 'batches') return batchesOf(run);
  if (asked.what === 'split') return run.array(`split/${asked.objective ?? 'train'}`);
  if (asked.what === 'sign_changes' && asked.entity === 'parameter') {
    return signChangesOf(run.array(`gradient_sign/${objectiveOf(run, asked)}`), run.layout);
  }
  const name = arrayNameOf(run, asked);
  const array = run.array(name);
  if (asked.part !== undefined)
    return selected(array, 'part', partOfRun(run, { ...asked, part: asked.part }));
  if (asked.component === undefined) return array;
  return selected(array, 'component', componentOfRun(run, asked.component));
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

/** The examples of every mini-batch [T, B] by their places in the source. Throws StoreError where no order is known. */
function batchesOf(run: RunReader): ArrayReading {
  const order = run.array('order');
  const split = run.array('split/train');
  return {
    ...order,
    name: 'batches',
    description: 'examples of each mini-batch, as places in the source of the data',
    rows: async function* () {
      const places: number[] = [];
      for await (const row of split.rows()) places.push(row[0]!);
      for await (const row of order.rows()) yield row.map((example) => places[example]!);
    },
  };
}

/** How often the gradient of each parameter changed its sign [1, K], counted from the stored signs. */
function signChangesOf(signs: ArrayReading, layout: ParameterLayout): ArrayReading {
  const count = async (): Promise<Int32Array> => {
    const counts = new Int32Array(layout.size);
    let before: Float64Array | null = null;
    for await (const bytes of signs.rows()) {
      const own = unpackedSigns(bytes, layout.size);
      for (let k = 0; before !== null && k < counts.length; k++) counts[k]! += own[k] === before[k] ? 0 : 1;
      before = own;
    }
    return counts;
  };
  return {
    ...signs,
    name: 'sign_changes',
    dtype: 'int32',
    shape: [1, layout.size],
    finishedRows: 1,
    dimensions: ['run', 'parameter'],
    description:
      'segments at whose ends the gradient of each parameter has different signs, zero counted as above zero',
    columns: () =>
      layout.tensors.flatMap(({ name, size }) => Array.from({ length: size }, (_, k) => `${name}[${k}]`)),
    rows: async function* () {
      yield await count();
    },
  };
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
  const { what, entity, part, component } = asked;
  const { column, grouping } = columnOf(run, asked);
  const of = columnEntries().find(([name]) => name === column)?.[1].of;
  if (of === undefined || of === 'run') {
    const flag = Object.entries({ entity, part, component }).find(([, value]) => value !== undefined)?.[0];
    if (flag === undefined) return column;
    throw unfit(`--what ${what} with --${flag}`, 'nothing more: it is one for the whole run', 'leave it out');
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
  { what, entity, part, component }: Quantity,
): { column: string; grouping: string | null } {
  if (entity !== undefined && entity !== 'parameter' && !entities(run).includes(entity)) {
    throw unfit(`--entity ${entity}`, `one of parameter, ${entities(run).join(', ')}`, 'choose one of these');
  }
  if (part !== undefined && component !== undefined) {
    throw unfit(
      '--part with --component',
      'one of the two: components of parts are not kept',
      'leave out one',
    );
  }
  if (part !== undefined) return { column: partColumn(what, entity), grouping: null };
  if (component !== undefined) return componentColumn(what, entity);
  if (what.startsWith('entity_') || ['component_sums', 'sign_changes'].includes(what))
    return { column: what, grouping: entity ?? null };
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

/** The column of components that says the same of a component as `what` says of the whole. */
function componentColumn(
  what: string,
  entity: string | undefined,
): { column: string; grouping: string | null } {
  const byParameter = entity === undefined || entity === 'parameter';
  if (byParameter && ['allocation', 'component_allocation'].includes(what)) {
    return { column: 'component_allocation', grouping: null };
  }
  if (!byParameter && ['allocation', 'component_sums'].includes(what)) {
    return { column: 'component_sums', grouping: entity };
  }
  throw unfit(
    `--what ${what} of a component`,
    'allocation, with --entity for sums',
    'leave out --component, or ask for its allocation',
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

/** The part that is meant, found by its name, else by its number. */
function partOfRun(run: RunReader, asked: Quantity & { readonly part: string }): Selection {
  const objective = objectiveOf(run, asked);
  const names = run.manifest.objectives.find(({ name }) => name === objective)!.parts.map(({ name }) => name);
  const named = names.indexOf(asked.part);
  const index = named >= 0 || !/^\d+$/.test(asked.part) ? named : Number(asked.part);
  if (names[index] !== undefined) return { name: names[index], first: names[index], indices: [index] };
  throw unfit(
    `--part ${asked.part} of ${objective}`,
    `one of ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', …' : ''}, or an index below ${names.length}`,
    'name one of these',
  );
}

/** The components that are meant, by name or by the beginning of their names. */
function componentOfRun({ manifest: { components } }: RunReader, asked: string): Selection {
  const indices = [...components.keys()].filter(
    (index) => components[index] === asked || components[index]!.startsWith(`${asked}/`),
  );
  if (indices.length > 0) return { name: asked, first: components[indices[0]!]!, indices };
  const given = `--component ${asked}`;
  if (components.length === 0)
    throw unfit(given, 'a run that was measured with --components', 'measure it so');
  const groups = components.flatMap((name) => (name.includes('/') ? [name.replace(/\/.*/, '')] : []));
  throw unfit(given, `one of ${[...new Set([...groups, ...components])].join(', ')}`, 'name one of these');
}

/** What is taken of an axis, and what it is called; several are added up. */
interface Selection {
  readonly name: string;
  /** Name of the first of them. */
  readonly first: string;
  readonly indices: readonly number[];
}

/** What an array [T, parts or components, …] has of one of them, or of several together. */
function selected(
  array: ArrayReading,
  axis: 'part' | 'component',
  { name, first, indices }: Selection,
): ArrayReading {
  const [rows, , ...rest] = array.shape;
  const width = sizeOf(rest);
  const offsets = indices.map((index) => index * width);
  const own = (numbers: Numbers): Numbers =>
    numbers.slice(0, width).map((_, k) => offsets.reduce((sum, from) => sum + numbers[from + k]!, 0));
  const columns = () =>
    array
      .columns()
      .slice(offsets[0], offsets[0]! + width)
      .map((column) => column.replace(`${first}, `, ''));
  return {
    ...array,
    shape: [rows!, ...rest],
    dimensions: array.dimensions.filter((dimension) => dimension !== axis),
    description: `${array.description}, ${axis} ${name}`,
    columns,
    rows: async function* () {
      for await (const row of array.rows()) yield own(row);
    },
  };
}

function unfit(given: string, expected: string, remedy: string): UsageError {
  return new UsageError({ given, expected, remedy });
}
