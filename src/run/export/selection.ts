import { UsageError } from '../../errors.js';
import { checkSegments, type SegmentRange } from '../../experiment/control.js';
import type { ArrayReading } from '../../format/read-array.js';
import type { RunReader } from '../../format/reader.js';
import { sizeOf } from '../../graph/types.js';
import type { Numbers } from '../../ledger/types.js';

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
  /** Segments [from, to) that are meant; of what is kept by row of θ, the rows at their ends. Default all. */
  readonly segments?: SegmentRange;
}

/** An array of the run, of the segments that are meant. Throws UsageError where it has none, StoreError for an unknown name. */
export function arrayOfSegments(
  run: RunReader,
  name: string,
  { segments, what }: Pick<Quantity, 'segments' | 'what'>,
): ArrayReading {
  if (segments === undefined) return run.array(name);
  checkSegments(segments, run.status.iterations);
  const [axis] = run.array(name, { from: 0, to: 0 }).dimensions;
  if (axis === 'segment' || axis === 'iteration') return run.array(name, segments);
  if (axis === 'row') return run.array(name, { from: segments.from, to: segments.to + 1 });
  throw unfit(`--what ${what} with --segments`, 'a quantity that has segments', 'leave it out');
}

/** The objective that is meant. Throws UsageError where there is none. */
export function objectiveOf({ manifest }: RunReader, { objective }: Quantity): string {
  const names = manifest.objectives.map(({ name }) => name);
  if (objective === undefined || names.includes(objective)) return objective ?? names[0]!;
  throw unfit(
    `--objective ${objective}`,
    `an objective of the run: ${names.join(', ')}`,
    'name one of these',
  );
}

/** The part that is meant, found by its name, else by its number. Throws UsageError where there is none. */
export function partOfRun(run: RunReader, asked: Quantity & { readonly part: string }): Selection {
  const objective = objectiveOf(run, asked);
  const names = run.manifest.objectives.find(({ name }) => name === objective)!.parts.map(({ name }) => name);
  const named = names.indexOf(asked.part);
  const index = named >= 0 || !/^\d+$/.test(asked.part) ? named : Number(asked.part);
  if (names[index] !== undefined) return { name: names[index], indices: [index] };
  throw unfit(
    `--part ${asked.part} of ${objective}`,
    `one of ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', …' : ''}, or an index below ${names.length}`,
    'name one of these',
  );
}

/** The components that are meant, by name or by the beginning of their names. Throws UsageError where there is none. */
export function componentOfRun({ manifest: { components } }: RunReader, asked: string): Selection {
  const indices = [...components.keys()].filter(
    (index) => components[index] === asked || components[index]!.startsWith(`${asked}/`),
  );
  if (indices.length > 0) return { name: asked, indices };
  const given = `--component ${asked}`;
  if (components.length === 0)
    throw unfit(given, 'a run that was measured with --components', 'measure it so');
  const groups = components.flatMap((name) => (name.includes('/') ? [name.replace(/\/.*/, '')] : []));
  throw unfit(given, `one of ${[...new Set([...groups, ...components])].join(', ')}`, 'name one of these');
}

/** The column of parts that says the same of a part as `what` says of the whole. Throws UsageError where there is none. */
export function partColumn(what: string, entity: string | undefined): string {
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
    'loss, or allocation, with any --entity',
    'leave out --part, or choose one of these',
  );
}

/** What is taken of an axis, and what it is called; several are added up. */
export interface Selection {
  readonly name: string;
  readonly indices: readonly number[];
}

/** What an array [T, parts or components, …] has of one of them, or of several together. */
export function selected(
  array: ArrayReading,
  axis: 'part' | 'component',
  { name, indices }: Selection,
): ArrayReading {
  const [rows, , ...rest] = array.shape;
  const width = sizeOf(rest);
  const offsets = indices.map((index) => index * width);
  const own = (numbers: Numbers): Numbers =>
    numbers.slice(0, width).map((_, k) => offsets.reduce((sum, from) => sum + numbers[from + k]!, 0));
  return {
    ...array,
    shape: [rows!, ...rest],
    dimensions: array.dimensions.filter((dimension) => dimension !== axis),
    description: `${array.description}, ${axis} ${name}`,
    axes: () => array.axes().slice(1),
    rows: async function* () {
      for await (const row of array.rows()) yield own(row);
    },
  };
}

/** What does not fit the run, as an error. */
export function unfit(given: string, expected: string, remedy: string): UsageError {
  return new UsageError({ given, expected, remedy });
}
