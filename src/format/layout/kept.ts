import type { Column, ColumnCondition } from '../../ledger/column.js';
import type { Grouping } from '../../ledger/types.js';
import { wantAt } from '../../quadrature/rules.js';
import type { ManifestContent } from '../manifest.js';

const fineness = { layers: 0, neurons: 1, parameters: 2 } as const;

/** What an array's numbers belong to. */
export interface Owner {
  readonly objective: number | null;
  readonly grouping: Grouping | null;
}

/** What must hold of a run for some columns to be stored. */
const conditions: Readonly<Record<ColumnCondition, (manifest: ManifestContent) => boolean>> = {
  endGradients: ({ quadrature }) => wantAt(quadrature.rule, 0) === 'gradient',
  certainty: ({ quadrature }) => (quadrature.certify ?? null) !== null,
  basis: ({ basis = null }) => basis !== null,
};

/** Whether a run keeps a column: allocations so fine, parts and components where there are some, groupings that no other column has. */
export function isKept(manifest: ManifestContent, column: Column, owner: Owner): boolean {
  const { keep, keepParts, keepComponents, objectives, components = [] } = manifest;
  if (column.when !== undefined && !conditions[column.when](manifest)) return false;
  const { objective, grouping } = owner;
  // Neurons and inputs are kept where sums by neuron are.
  const isFine = grouping !== null && ['neuron', 'input'].includes(grouping.name);
  const finest = column.finest ?? (isFine ? 'neurons' : 'layers');
  if (fineness[finest] > fineness[keep] || column.except?.includes(grouping?.name ?? '')) return false;
  if (column.components !== undefined) {
    return components.length > 0 && (column.components === 'sums' || keepComponents === 'parameters');
  }
  if (column.parts === undefined) return true;
  return objectives[objective!]!.parts.length > 1 && (column.parts === 'sums' || keepParts === 'parameters');
}
