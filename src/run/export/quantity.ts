import { overfitting } from '../../analysis/overfitting.js';
import { UsageError } from '../../errors.js';
import type { ArrayReading } from '../../format/read-array.js';
import type { RunReader } from '../../format/reader.js';
import { columnEntries } from '../../ledger/columns.js';
import { unpackedSigns } from '../../ledger/measures/gradients.js';
import type { ParameterLayout } from '../../ledger/types.js';
import {
  arrayOfSegments,
  componentOfRun,
  objectiveOf,
  partOfRun,
  type Quantity,
  selected,
  unfit,
} from './selection.js';
import { partRows } from './part-entities.js';
import { standardErrorOf } from './standard-error.js';

/** What can be exported: θ, the order of the examples, every column of the ledger, and what is derived from columns. */
export const exportable: readonly string[] = ['theta', 'iteration', 'order', 'batches', 'split', 'basis', ...columnEntries().map(([name]) => name), 'overfitting', 'standard_error', 'loss_standard_error']; // prettier-ignore

/** Opens what is asked for, rows unread. Throws UsageError where the run cannot have it, StoreError where it was not kept. */
export function quantityOf(run: RunReader, asked: Quantity): ArrayReading {
  if (asked.what === 'overfitting') return overfittingOf(run, asked);
  if (asked.what.endsWith('standard_error')) return standardErrorOf(run, asked);
  if (asked.what === 'iteration') return iterationOf(run, asked);
  if (asked.what === 'batches') return batchesOf(run, asked);
  if (asked.what === 'split') return arrayOfSegments(run, `split/${asked.objective ?? 'train'}`, asked);
  if (asked.what === 'sign_changes' && asked.entity === 'parameter') {
    return signChangesOf(arrayOfSegments(run, `gradient_sign/${objectiveOf(run, asked)}`, asked), run.layout);
  }
  checkEntity(run, asked);
  if (asked.part !== undefined) return partOf(run, { ...asked, part: asked.part });
  const array = arrayOfSegments(run, arrayNameOf(run, asked), asked);
  if (asked.component === undefined) return array;
  return selected(array, 'component', componentOfRun(run, asked.component));
}

/** Throws UsageError for an entity that the run does not have, and for what is of a part and of a component. */
function checkEntity(run: RunReader, { entity, part, component }: Quantity): void {
  if (entity !== undefined && entity !== 'parameter' && !entities(run).includes(entity))
    throw unfit(`--entity ${entity}`, `one of parameter, ${entities(run).join(', ')}`, 'choose one of these');
  if (part === undefined || component === undefined) return;
  throw unfit('--part with --component', 'one of the two: components of parts are not kept', 'leave out one');
}

/** A quantity of one part. Throws UsageError where it is of the whole run, or parts do not have it. */
function partOf(run: RunReader, asked: Quantity & { readonly part: string }): ArrayReading {
  if (columnEntries().find(([name]) => name === asked.what)?.[1].of === 'run')
    throw ofTheRun(asked.what, 'part');
  return selected(partRows(run, asked), 'part', partOfRun(run, asked));
}

/** What the loss of the training set is called, by the statistics of its chunks and by running ones. */
const trained: readonly string[] = ['train', 'train.running'];

/** The training objective's allocations less the held-out one's. Throws UsageError where the run does not have both. */
function overfittingOf(
  run: RunReader,
  { objective, entity = 'layer', part, ...rest }: Quantity,
): ArrayReading {
  const { objectives } = run.manifest;
  const names = objectives.map(({ name }) => name);
  const heldOut = objective ?? names.find((name) => !trained.includes(name));
  const statistics = objectives.find(({ name }) => name === heldOut)?.statistics;
  const own = objectives.find((each) => trained.includes(each.name) && each.statistics === statistics);
  if (own === undefined || heldOut === undefined || heldOut === own.name) {
    throw new UsageError({
      given: `overfitting of a run that measured ${names.join(', ')}`,
      expected: 'train, and an objective that is held out',
      remedy: 'measure both, such as --measure train,test; name the second with --objective',
    });
  }
  const of = (name: string) =>
    quantityOf(run, { ...rest, what: 'allocation', objective: name, entity, ...(part === undefined ? {} : { part }) }); // prettier-ignore
  return overfitting(of(own.name), of(heldOut));
}

/** The training iteration of each row of θ that is stored [rows]. */
function iterationOf(run: RunReader, asked: Quantity): ArrayReading {
  const theta = arrayOfSegments(run, 'theta', asked);
  const { iteration, from, shape } = theta;
  return {
    ...theta,
    name: 'iteration',
    dtype: 'int32',
    shape: [shape[0]!],
    iteration: null,
    dimensions: ['row'],
    description: 'training iteration of each row of theta',
    axes: () => [],
    rows: async function* () {
      for (let k = 0; k < shape[0]!; k++)
        yield await Promise.resolve(Int32Array.of(iteration?.[k] ?? from + k));
    },
  };
}

/** The examples of every mini-batch [T, B] by their places in the source. Throws StoreError where no order is known. */
function batchesOf(run: RunReader, asked: Quantity): ArrayReading {
  const order = arrayOfSegments(run, 'order', asked);
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
    from: 0,
    iteration: null,
    dimensions: ['run', 'parameter'],
    description:
      'segments at whose ends the gradient of each parameter has different signs, zero counted as above zero',
    axes: () => [
      layout.tensors.flatMap(({ name, size }) => Array.from({ length: size }, (_, k) => `${name}[${k}]`)),
    ],
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
  const { what, entity, component } = asked;
  const { column, grouping } = columnOf(asked);
  const of = columnEntries().find(([name]) => name === column)?.[1].of;
  if (of === undefined || of === 'run') {
    const flag = Object.entries({ entity, component }).find(([, value]) => value !== undefined)?.[0];
    if (flag === undefined) return column;
    throw ofTheRun(what, flag);
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

const ofTheRun = (what: string, flag: string) =>
  unfit(`--what ${what} with --${flag}`, 'nothing more: it is one for the whole run', 'leave it out');

/** The column, and the grouping whose array of it is meant. */
function columnOf({ what, entity, component }: Quantity): { column: string; grouping: string | null } {
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
