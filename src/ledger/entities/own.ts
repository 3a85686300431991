import { UsageError } from '../../errors.js';
import { patternOf } from '../../optim/groups.js';
import type { AtomAxis, OwnGrouping, TensorSpan } from '../types.js';

/** What belongs to a cell: tensors by name, whole or a range of their output neurons or inputs. */
interface Member {
  readonly cell: string;
  readonly pattern: string;
  readonly name: RegExp;
  /** Indices along the axis, from one to before another; null: all. */
  readonly range: { readonly axis: AtomAxis; readonly from: number; readonly to: number } | null;
}

/** Into which cells the user's own grouping puts the atoms of an axis. */
export interface OwnCells {
  readonly axis: AtomAxis;
  /** In order of first appearance in θ. */
  readonly cells: readonly string[];
  /** Cell of an index along the axis, of a tensor by its place. */
  readonly cellOf: (tensor: number, index: number) => number;
}

/** Cell of what no pattern matches. */
export const otherCell = 'other';

/**
 * Cells of the user's own grouping: a parameter belongs to the first pattern that matches it, else to the cell `other`.
 *
 * @throws UsageError where a pattern matches no tensor, a range lies outside of one, or ranges of outputs and of inputs are mixed.
 */
export function ownCells(own: OwnGrouping, tensors: readonly TensorSpan[]): OwnCells {
  const members = own.cells.flatMap(({ name, patterns }) =>
    patterns.map((pattern) => memberOf(name, pattern)),
  );
  for (const member of members) requireFit(own.name, member, tensors);
  const axes = new Set(members.flatMap(({ range }) => (range === null ? [] : [range.axis])));
  if (axes.size > 1) {
    throw new UsageError({
      given: `grouping ${own.name} with ranges of outputs ([0:16]) and of inputs ([in 0:16])`,
      expected: 'ranges of one of the two',
      remedy: 'make two groupings',
    });
  }
  const axis = [...axes][0] ?? 'neuronAxis';
  const cellName = (tensor: number, index: number): string =>
    members.find(({ name, range }) => name.test(tensors[tensor]!.name) && (range === null || (range.from <= index && index < range.to)))?.cell ?? otherCell; // prettier-ignore
  const cells = new Set(
    tensors.flatMap(({ shape, ...tensor }, t) => {
      const at = tensor[axis];
      return Array.from({ length: at === null ? 1 : shape[at]! }, (_, index) => cellName(t, index));
    }),
  );
  const names = [...cells];
  return { axis, cells: names, cellOf: (tensor, index) => names.indexOf(cellName(tensor, index)) };
}

/** Reads `NAME`, `NAME[0:16]` (output neurons) or `NAME[in 0:16]` (inputs). */
function memberOf(cell: string, pattern: string): Member {
  const match = /^(.+)\[(in )?(\d+):(\d+)\]$/.exec(pattern);
  if (match === null) return { cell, pattern, name: patternOf(pattern), range: null };
  const [, name, inputs, from, to] = match;
  const axis = inputs === undefined ? 'neuronAxis' : 'inputAxis';
  return { cell, pattern, name: patternOf(name!), range: { axis, from: Number(from), to: Number(to) } };
}

function requireFit(
  grouping: string,
  { pattern, name, range }: Member,
  tensors: readonly TensorSpan[],
): void {
  const own = tensors.filter((tensor) => name.test(tensor.name));
  if (own.length === 0) {
    throw new UsageError({
      given: `pattern ${pattern} of grouping ${grouping}, which matches no tensor`,
      expected: `patterns over the names ${tensors.map((tensor) => tensor.name).join(', ')}`,
      remedy: 'correct the pattern; * stands for any text',
    });
  }
  if (range === null) return;
  for (const { shape, ...tensor } of own) {
    const at = tensor[range.axis];
    const extent = at === null ? 0 : shape[at]!;
    if (range.from < range.to && range.to <= extent) continue;
    const what = range.axis === 'neuronAxis' ? 'output neurons' : 'inputs';
    throw new UsageError({
      given: `pattern ${pattern} of grouping ${grouping}, and ${tensor.name} [${shape.join(', ')}] with ${extent} ${what}`,
      expected: `a range from 0 to at most ${extent}, its end not included`,
      remedy: 'correct the range, or let the pattern match fewer tensors',
    });
  }
}
