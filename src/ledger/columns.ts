import { plainLoops } from '../num/vector-loops.js';
import { type Allocated, reportTerm } from './allocate.js';
import { undeterminedBy } from './certainty.js';
import type { Column } from './column.js';
import { gatherCounts, gatherSums } from './groupings.js';
import { entityUndeterminedLaw, undeterminedLaw } from './laws/certainty.js';
import { componentAllocationLaw, componentSumsLaw } from './laws/components.js';
import { entityCountLaw, entityLaw } from './laws/entities.js';
import { normLaw, signChangeLaw } from './laws/gradients.js';
import { type Deviation, type RowDivision, type StoredRow, undivided } from './laws/law.js';
import { partAllocationLaw, partLossLaw, partSumsLaw } from './laws/parts.js';
import { allocationLaw, basisLaw, countLaw, neuronLaw, residualLaw, totalLaw } from './laws/whole.js';
import { basisSums } from './measures/basis.js';
import { gradientSigns, layerNorms, partNorms, signChanges } from './measures/gradients.js';
import { componentAllocation, componentSums } from './measures/components.js';
import { partAllocation, partSums } from './measures/parts.js';
import type { Grouping, Numbers, ParameterLayout } from './types.js';

/** Of what was not measured. */
const none = new Int32Array(0);

/** Every column, by its name; an objective's array is `NAME/OBJECTIVE`. In the order in which they are documented and stored. */
export const columns = {
  allocation: {
    dtype: 'allocation', axes: ['segment', 'parameter'], of: 'objective', unit: 'loss', finest: 'parameters', large: true,
    description: 'allocation of each parameter; negative helps',
    compare: 'allocation',
    measure: ({ stored }: Allocated) => stored,
    law: allocationLaw,
  },
  neuron_sums: {
    dtype: 'float64', axes: ['segment', 'neuron'], of: 'objective', unit: 'loss', finest: 'neurons', large: true,
    description: 'allocation of each output neuron or channel, layer by layer',
    compare: 'allocation',
    measure: ({ sums }: Allocated) => sums.neuronSums,
    law: neuronLaw,
  },
  loss: {
    dtype: 'float64', axes: ['row'], of: 'objective', unit: 'loss',
    description: 'loss at each row of theta',
    compare: 'loss',
    measure: ({ lossStart, lossEnd }: Allocated) => [lossStart, lossEnd],
  },
  part_loss: {
    dtype: 'float64', axes: ['row', 'part'], of: 'objective', unit: 'loss',
    description: 'what each part contributes to the loss at each row of theta',
    parts: 'sums',
    compare: 'loss',
    measure: ({ parts }: Allocated) => (parts ? [...parts.lossStart, ...parts.lossEnd] : []),
    law: partLossLaw,
  },
  part_allocation: {
    dtype: 'allocation', axes: ['segment', 'part', 'parameter'], of: 'objective', unit: 'loss', large: true, parts: 'parameters',
    description: 'what each part contributes to the allocation of each parameter',
    compare: 'allocation',
    measure: partAllocation,
    law: partAllocationLaw,
  },
  part_layer_sums: {
    dtype: 'float64', axes: ['segment', 'part', 'layer'], of: 'objective', unit: 'loss', large: true, parts: 'sums',
    description: 'what each part contributes to the allocation of each layer',
    compare: 'allocation',
    measure: (allocated: Allocated) => partSums(allocated, 'layer'),
    law: partSumsLaw('part_layer_sums', 'layer_sums'),
  },
  part_neuron_sums: {
    dtype: 'float64', axes: ['segment', 'part', 'neuron'], of: 'objective', unit: 'loss', large: true, parts: 'sums',
    description: 'what each part contributes to the allocation of each output neuron or channel',
    compare: 'allocation',
    measure: (allocated: Allocated) => partSums(allocated, 'neuron'),
    law: partSumsLaw('part_neuron_sums', 'neuron_sums'),
  },
  part_tensor_sums: {
    dtype: 'float64', axes: ['segment', 'part', 'tensor'], of: 'objective', unit: 'loss', large: true, parts: 'sums',
    description: 'what each part contributes to the allocation of each tensor',
    compare: 'allocation',
    measure: (allocated: Allocated) => partSums(allocated, 'tensor'),
    law: partSumsLaw('part_tensor_sums', 'entity_sums/tensor'),
  },
  component_sums: {
    dtype: 'float64', axes: ['segment', 'component', 'cell'], of: 'grouping', unit: 'loss', large: true, components: 'sums',
    description: 'what each component of the update contributes to the allocation of each cell of a grouping',
    compare: 'allocation',
    measure: componentSums,
    law: componentSumsLaw,
  },
  component_allocation: {
    dtype: 'allocation', axes: ['segment', 'component', 'parameter'], of: 'objective', unit: 'loss', large: true, components: 'parameters',
    description: 'what each component of the update contributes to the allocation of each parameter',
    compare: 'allocation',
    measure: componentAllocation,
    law: componentAllocationLaw,
  },
  layer_sums: {
    dtype: 'float64', axes: ['segment', 'layer'], of: 'objective', unit: 'loss',
    description: 'allocation of each layer',
    compare: 'allocation',
    measure: ({ sums }: Allocated) => sums.layerSums,
  },
  total: {
    dtype: 'float64', axes: ['segment'], of: 'objective', unit: 'loss',
    description: 'allocation of all parameters',
    measure: ({ sums }: Allocated) => sums.total,
    law: totalLaw,
  },
  residual: {
    dtype: 'float64', axes: ['segment'], of: 'objective', unit: 'loss',
    description: 'sum of the allocations less the change of the loss',
    compare: 'residual',
    measure: ({ sums, lossChange }: Allocated) => sums.total - lossChange,
    law: residualLaw,
  },
  left_residual: {
    dtype: 'float64', axes: ['segment'], of: 'objective', unit: 'loss',
    description: 'the same for the left rule (first order)',
    when: 'endGradients',
    compare: 'residual',
    measure: leftResidual,
  },
  basis_sums: {
    dtype: 'float64', axes: ['segment', 'direction'], of: 'objective', unit: 'loss', large: true, when: 'basis',
    description: 'allocation of each direction of the basis, and of what they leave',
    compare: 'allocation',
    measure: basisSums,
    law: basisLaw,
  },
  helping: {
    dtype: 'int32', axes: ['segment', 'layer'], of: 'objective', unit: '1',
    description: 'parameters of each layer whose allocation is below zero',
    measure: ({ counts }: Allocated) => counts.helping,
  },
  hurting: {
    dtype: 'int32', axes: ['segment', 'layer'], of: 'objective', unit: '1',
    description: 'parameters of each layer whose allocation is above zero',
    measure: ({ counts }: Allocated) => counts.hurting,
  },
  zero: {
    dtype: 'int32', axes: ['segment', 'layer'], of: 'objective', unit: '1',
    description: 'parameters of each layer whose allocation is exactly zero',
    measure: ({ counts }: Allocated) => counts.zero,
    law: countLaw,
  },
  undetermined: {
    dtype: 'int32', axes: ['segment', 'layer'], of: 'objective', unit: '1', when: 'certainty',
    description: 'parameters of each layer whose allocation is not zero, but nearer to it than its error',
    measure: ({ certainty }: Allocated) => certainty?.undetermined ?? none,
    law: undeterminedLaw,
  },
  undetermined_helping: {
    dtype: 'int32', axes: ['segment', 'layer'], of: 'objective', unit: '1', when: 'certainty',
    description: 'those of them whose allocation is below zero',
    measure: ({ certainty }: Allocated) => certainty?.undeterminedHelping ?? none,
  },
  unresolved: {
    dtype: 'int32', axes: ['segment', 'layer'], of: 'objective', unit: '1', when: 'certainty',
    description: 'those of them that no finer rule determines, since gradients are rounded',
    measure: ({ certainty }: Allocated) => certainty?.unresolved ?? none,
  },
  layer_error: {
    dtype: 'float64', axes: ['segment', 'layer'], of: 'objective', unit: 'loss', when: 'certainty',
    description: 'allocation of each layer less that by a coarser rule on the same points, an estimate of its error',
    measure: ({ certainty }: Allocated) => certainty?.layerErrors ?? new Float64Array(0),
  },
  entity_undetermined: {
    dtype: 'int32', axes: ['segment', 'cell'], of: 'grouping', unit: '1', except: ['layer'], large: true, when: 'certainty',
    description: 'parameters of each cell of a grouping whose allocation is not zero, but nearer to it than its error',
    measure: ({ certainty, layout }: Allocated) => byGrouping(layout, (own) => (certainty ? undeterminedBy(certainty, own) : none)),
    law: entityUndeterminedLaw,
  },
  entity_sums: {
    dtype: 'float64', axes: ['segment', 'cell'], of: 'grouping', unit: 'loss', except: ['layer', 'neuron'], large: true,
    description: 'allocation of each cell of a grouping',
    compare: 'allocation',
    measure: ({ tallies, layout }: Allocated) => byGrouping(layout, (own) => gatherSums(own, tallies[own.axis].sums)),
    law: entityLaw,
  },
  entity_helping: {
    dtype: 'int32', axes: ['segment', 'cell'], of: 'grouping', unit: '1', except: ['layer'], large: true,
    description: 'parameters of each cell of a grouping whose allocation is below zero',
    measure: (allocated: Allocated) => entityCounts(allocated, 'helping'),
  },
  entity_hurting: {
    dtype: 'int32', axes: ['segment', 'cell'], of: 'grouping', unit: '1', except: ['layer'], large: true,
    description: 'parameters of each cell of a grouping whose allocation is above zero',
    measure: (allocated: Allocated) => entityCounts(allocated, 'hurting'),
  },
  entity_zero: {
    dtype: 'int32', axes: ['segment', 'cell'], of: 'grouping', unit: '1', except: ['layer'], large: true,
    description: 'parameters of each cell of a grouping whose allocation is exactly zero',
    measure: (allocated: Allocated) => entityCounts(allocated, 'zero'),
    law: entityCountLaw,
  },
  gradient_sign: {
    dtype: 'uint8', axes: ['row', 'byte'], of: 'objective', unit: '1', large: true, when: 'endGradients',
    description: 'whether the gradient at each row of theta is below zero: a bit for each parameter, the first lowest',
    measure: gradientSigns,
  },
  sign_changes: {
    dtype: 'int32', axes: ['segment', 'cell'], of: 'grouping', unit: '1', large: true, when: 'endGradients',
    description: 'parameters of each cell of a grouping whose gradient is below zero at one end of the segment only',
    measure: (allocated: Allocated) => signChanges(gradientSigns(allocated), allocated.layout, allocated.loops),
    law: signChangeLaw,
  },
  gradient_norm: {
    dtype: 'float64', axes: ['row', 'layer'], of: 'objective', unit: 'loss', large: true, when: 'endGradients',
    description: 'Euclidean norm of each layer’s gradient at each row of theta, per unit of theta',
    measure: ({ startGradient, endGradient, layout, loops }: Allocated) => layerNorms([startGradient, endGradient], layout, loops),
    law: normLaw,
  },
  part_gradient_norm: {
    dtype: 'float64', axes: ['row', 'part', 'layer'], of: 'objective', unit: 'loss', large: true, when: 'endGradients', parts: 'parameters',
    description: 'the same of what each part contributes to the gradient',
    measure: partNorms,
  },
  motion_norm: {
    dtype: 'float64', axes: ['segment', 'layer'], of: 'run', unit: '1', large: true,
    description: 'Euclidean norm of each layer’s motion',
    measure: ({ delta, layout, loops }: Allocated) => layerNorms([delta], layout, loops),
  },
  subintervals: {
    dtype: 'int32', axes: ['segment'], of: 'run', unit: '1',
    description: 'equal parts of the segment that the quadrature rule ended with',
    measure: ({ subintervals }: Allocated) => subintervals,
  },
  evaluations: {
    dtype: 'int32', axes: ['segment'], of: 'run', unit: '1',
    description: 'points of the segment where loss and gradient were evaluated, ends counted where they were',
    measure: ({ evaluations }: Allocated) => evaluations,
  },
} as const satisfies Readonly<Record<string, Column>>; // prettier-ignore

export type ColumnName = keyof typeof columns;

/** Columns that a view holds in memory. */
export type SmallColumnName = {
  [N in ColumnName]: (typeof columns)[N] extends { readonly large: true } ? never : N;
}[ColumnName];

/** The array in which a small column is held. */
export type ColumnNumbers<N extends ColumnName> = (typeof columns)[N]['dtype'] extends 'int32'
  ? Int32Array
  : Float64Array;

/** What one segment adds to the ledger of one objective, by column. */
export type LedgerRow = { readonly [N in ColumnName]: ReturnType<(typeof columns)[N]['measure']> };

/** The table as data: what is derived from it asks for no name. */
export const columnEntries = (): readonly (readonly [name: string, column: Column])[] =>
  Object.entries(columns);

/** All columns of one objective's segment. Throws NumericError where a sum is not finite. */
export function ledgerRow(allocated: Allocated): LedgerRow {
  return Object.fromEntries(
    columnEntries().map(([name, { measure }]) => [name, measure(allocated)]),
  ) as LedgerRow;
}

/** Δθ · ∇L(θ_t) − ΔL; NaN where that gradient is not known. Throws NumericError, naming tensor and index, where it is not finite. */
function leftResidual({ delta, startGradient, lossChange, layout, loops = plainLoops }: Allocated): number {
  if (startGradient.length === 0) return NaN;
  const residual = loops.dot(delta, startGradient) - lossChange;
  if (!Number.isFinite(residual)) reportTerm('allocation of the left rule', delta, startGradient, layout);
  return residual;
}

function byGrouping<N extends Numbers>(
  { groupings }: ParameterLayout,
  measure: (grouping: Grouping) => N,
): Readonly<Record<string, N>> {
  return Object.fromEntries(groupings.map((grouping) => [grouping.name, measure(grouping)]));
}

function entityCounts(
  { tallies, layout }: Allocated,
  sign: 'helping' | 'hurting' | 'zero',
): Readonly<Record<string, Int32Array>> {
  return byGrouping(layout, (own) => gatherCounts(own, tallies[own.axis][sign]));
}

/** Checks that a segment's row of one objective obeys every column's law. No deviation: the row balances. */
export function audit(
  row: StoredRow,
  layout: ParameterLayout,
  division: RowDivision = undivided,
): Deviation[] {
  const found: Deviation[] = [];
  for (const [, { law }] of columnEntries()) {
    if (law) for (const deviation of law(row, layout, division)) found.push(deviation);
  }
  return found;
}
