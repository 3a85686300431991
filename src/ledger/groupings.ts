import { CellSums } from '../num/cell-sums.js';
import { atomCount } from './atoms.js';
import { onceFor } from '../num/once.js';
import { ownCells } from './entities/own.js';
import type { AtomAxis, Grouping, OwnGrouping, ParameterLayout, TensorSpan } from './types.js';

/** Names of the groupings that every network has. */
export const groupingNames = ['neuron', 'input', 'tensor', 'layer', 'module', 'kind'] as const;

/** A layout's grouping of that name, which must be one of `groupingNames` or the user's own. */
export function groupingNamed({ groupings }: ParameterLayout, name: string): Grouping {
  return groupings.find((grouping) => grouping.name === name)!;
}

/** What groupings are made for: a layout without them. */
type Ungrouped = Omit<ParameterLayout, 'groupings'>;

/** All groupings of a layout: those that every network has, then the user's own. Throws UsageError as `ownCells` does. */
export function groupingsOf(layout: Ungrouped, own: readonly OwnGrouping[]): Grouping[] {
  return [
    neuronGrouping(layout),
    inputGrouping(layout),
    byTensor('tensor', layout, ({ name }) => name),
    byTensor('layer', layout, ({ layer }) => layer),
    byTensor('module', layout, ({ layer }) => moduleOf(layer)),
    byTensor('kind', layout, ({ kind }) => kind),
    ...own.map((each) => {
      const { axis, cells, cellOf } = ownCells(each, layout.tensors);
      return grouping(each.name, layout, axis, cells, cellOf);
    }),
  ];
}

/** The part of a network that a layer belongs to: its name up to the last dot; a layer without one stands for itself. */
function moduleOf(layer: string): string {
  return layer.includes('.') ? layer.slice(0, layer.lastIndexOf('.')) : layer;
}

/** A grouping whose cells are made of whole tensors, in order of first appearance. */
function byTensor(name: string, layout: Ungrouped, cellName: (tensor: TensorSpan) => string): Grouping {
  const names = layout.tensors.map(cellName);
  const cells = [...new Set(names)];
  return grouping(name, layout, 'neuronAxis', cells, (t) => cells.indexOf(names[t]!));
}

/** Every output neuron or channel, layer by layer; tensors without neurons are in no cell. */
function neuronGrouping(layout: Ungrouped): Grouping {
  const cells = layout.layers.flatMap((layer, l) => numbered(layer, layout.neurons[l]!));
  let next = 0;
  const offsets = layout.neurons.map((count) => (next += count) - count);
  return grouping('neuron', layout, 'neuronAxis', cells, (t, index) => {
    const { layer, neuronAxis } = layout.tensors[t]!;
    return neuronAxis === null ? -1 : offsets[layout.layers.indexOf(layer)]! + index;
  });
}

/** Every input or input channel of every kernel; tensors without inputs are in no cell. */
function inputGrouping(layout: Ungrouped): Grouping {
  let next = 0;
  const starts = layout.tensors.map(({ inputAxis, shape }) => {
    next += inputAxis === null ? 0 : shape[inputAxis]!;
    return inputAxis === null ? -1 : next - shape[inputAxis]!;
  });
  const cells = layout.tensors.flatMap(({ name, inputAxis, shape }) =>
    inputAxis === null ? [] : numbered(name, shape[inputAxis]!, 'in '),
  );
  return grouping('input', layout, 'inputAxis', cells, (t, index) =>
    starts[t]! < 0 ? -1 : starts[t]! + index,
  );
}

function numbered(name: string, count: number, prefix = ''): string[] {
  return Array.from({ length: count }, (_, k) => `${name}[${prefix}${k}]`);
}

function grouping(
  name: string,
  layout: Ungrouped,
  axis: AtomAxis,
  cells: readonly string[],
  cellOf: (tensor: number, index: number) => number,
): Grouping {
  const strips = layout.atoms[axis];
  const map = new Int32Array(atomCount(strips));
  for (const [t, { first, extent }] of strips.entries()) {
    for (let index = 0; index < extent; index++) map[first + index] = cellOf(t, index);
  }
  return { name, axis, cells, cellOf: map };
}

/** Sums by cell [cells] of sums by atom [atoms], each rounded once from a compensated sum. */
export function gatherSums({ cells, cellOf }: Grouping, atoms: Float64Array): Float64Array {
  const sums = new CellSums(cells.length);
  for (let atom = 0; atom < atoms.length; atom++) {
    if (cellOf[atom]! >= 0) sums.add(cellOf[atom]!, atoms[atom]!);
  }
  return sums.results();
}

/** Counts by cell [cells] of counts by atom [atoms]. */
export function gatherCounts({ cells, cellOf }: Grouping, atoms: Int32Array): Int32Array {
  const counts = new Int32Array(cells.length);
  for (let atom = 0; atom < atoms.length; atom++) {
    if (cellOf[atom]! >= 0) counts[cellOf[atom]!]! += atoms[atom]!;
  }
  return counts;
}

/** Number of parameters in each cell [cells]. Found once for each layout and grouping. */
export function cellSizes(layout: Ungrouped, own: Grouping): Int32Array {
  return sizesIn(layout)(own);
}

const sizesIn = onceFor((layout: Ungrouped) =>
  onceFor((own: Grouping): Int32Array => {
    const sizes = Int32Array.from(
      layout.atoms[own.axis].flatMap(({ outer, extent, inner }) => new Array<number>(extent).fill(outer * inner)), // prettier-ignore
    );
    return gatherCounts(own, sizes);
  }),
);
