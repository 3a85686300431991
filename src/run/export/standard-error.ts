import { standardErrors } from '../../analysis/sampling.js';
import { sampleBlocksOf } from '../../format/manifest.js';
import type { ArrayReading } from '../../format/read-array.js';
import type { RunReader } from '../../format/reader.js';
import { sizeOf } from '../../graph/types.js';
import { partRows } from './part-entities.js';
import { objectiveOf, partOfRun, type Quantity, selected, unfit } from './selection.js';

/**
 * Standard errors of losses, or of allocations by parameter or by a grouping, that were measured on a sample, of the whole objective or of a part.
 * Throws UsageError where it was measured on all its examples.
 */
export function standardErrorOf(run: RunReader, asked: Quantity): ArrayReading {
  const name = objectiveOf(run, asked);
  const objective = run.manifest.objectives.find((own) => own.name === name)!;
  const part =
    asked.part === undefined
      ? null
      : objective.parts[partOfRun(run, { ...asked, part: asked.part }).indices[0]!]!;
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
    throw unfit(`--what ${asked.what} with --entity`, 'no --entity: a loss is one for all', 'leave it out');
  const parts = partRows(run, { ...asked, ...(ofLoss ? { what: 'loss' } : { what: 'allocation', entity: asked.entity ?? 'layer' }) }); // prettier-ignore
  const first = blocks.members[0]!;
  const { name: block } = objective.parts[first]!;
  const one = selected(parts, 'part', { name: block, indices: [first] });
  const rows = async function* () {
    for await (const row of parts.rows())
      yield standardErrors(row as Float64Array, sizeOf(one.shape.slice(1)), blocks);
  };
  const description = `standard error over ${blocks.members.length} blocks: ${parts.description}`;
  return { ...one, name: `${asked.what}/${name}`, dtype: 'float64', description, rows };
}
