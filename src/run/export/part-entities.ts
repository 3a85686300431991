import type { ArrayReading } from '../../format/read-array.js';
import type { RunReader } from '../../format/reader.js';
import { sumAtoms } from '../../ledger/atoms.js';
import { addTerms, type Term, termsOf } from '../../ledger/entities/terms.js';
import { gatherSums } from '../../ledger/groupings.js';
import type { Grouping, Numbers } from '../../ledger/types.js';
import { CellSums } from '../../num/cell-sums.js';
import { arrayOfSegments, objectiveOf, partColumn, type Quantity, unfit } from './selection.js';

/** Reads a column of the objective, of the segments that are meant. */
type Reading = (name: string) => ArrayReading;

/** Groupings of whose sums of parts there is a column. */
const stored: readonly string[] = ['layer', 'neuron', 'tensor'];

/** What is asked for, of each part of the objective [rows, parts, …]. Throws UsageError where parts do not have it, or the run has no such grouping. */
export function partRows(run: RunReader, asked: Quantity): ArrayReading {
  const { what, entity } = asked;
  const objective = objectiveOf(run, asked);
  const read: Reading = (name) => arrayOfSegments(run, `${name}/${objective}`, asked);
  const grouping = run.layout.groupings.find(({ name }) => name === entity);
  if (what !== 'allocation' || grouping === undefined || stored.includes(grouping.name)) return read(partColumn(what, entity)); // prettier-ignore
  return partsByGrouping(run, objective, grouping, read);
}

/**
 * What each part of an objective contributes to the allocation of each cell of a grouping [T, parts, cells]: from the sums by tensor and by neuron
 * where cells are made of whole ones, else from the parts' allocations by parameter. Throws UsageError where neither has it.
 */
function partsByGrouping(run: RunReader, objective: string, grouping: Grouping, read: Reading): ArrayReading {
  const terms = termsOf(run.layout, grouping);
  const tensorSums = read('part_tensor_sums');
  const parts = tensorSums.shape[1]!;
  const rows = terms === null ? fromParameters(run, objective, grouping, read, parts) : fromSums(grouping, read, parts, terms); // prettier-ignore
  return {
    ...tensorSums,
    name: `part_allocation_by_${grouping.name}/${objective}`,
    dtype: 'float64',
    shape: [tensorSums.shape[0]!, parts, grouping.cells.length],
    dimensions: ['segment', 'part', 'cell'],
    description: `what each part contributes to the allocation of each cell of ${grouping.name}`,
    axes: () => [tensorSums.axes()[0]!, [...grouping.cells]],
    rows,
  };
}

/** Which stored sums make up the cells of a grouping, each whole in one; null where cells are finer than those, or cut across. */
/** Adds up sums by tensor and by neuron [parts, cells], a row a segment. */
function fromSums({ cells }: Grouping, read: Reading, parts: number, terms: readonly Term[]) {
  return async function* (): AsyncGenerator<Numbers> {
    const neurons = read('part_neuron_sums').rows()[Symbol.asyncIterator]();
    for await (const tensor of read('part_tensor_sums').rows()) {
      const row = { tensor, neuron: (await neurons.next()).value as Numbers };
      const sums = new CellSums(parts * cells.length);
      addTerms(terms, row, parts, (part, cell, value) => { sums.add(part * cells.length + cell, value); }); // prettier-ignore
      yield sums.results();
    }
  };
}

/** Adds up stored allocations [parts, cells], a row a segment. Throws UsageError where the parts' are not kept. */
function fromParameters(
  { arrayNames, layout }: RunReader,
  objective: string,
  grouping: Grouping,
  read: Reading,
  parts: number,
) {
  if (!arrayNames.includes(`part_allocation/${objective}`)) {
    throw unfit(
      `parts of ${objective} by ${grouping.name}, whose cells are no whole tensors or neurons`,
      'a run that keeps its parts by parameter',
      'measure it with --keep-parts parameters, or choose --entity layer, neuron or tensor',
    );
  }
  return async function* (): AsyncGenerator<Numbers> {
    for await (const row of read('part_allocation').rows()) {
      const sums = new Float64Array(parts * grouping.cells.length);
      for (let part = 0; part < parts; part++) {
        const own = (row as Float32Array).subarray(part * layout.size, (part + 1) * layout.size);
        const cells = gatherSums(grouping, sumAtoms(own, layout.atoms[grouping.axis]).results());
        sums.set(cells, part * cells.length);
      }
      yield sums;
    }
  };
}
