import type { Activation } from '../../graph/activations/define.js';
import { attributesOf } from '../../graph/activations/define.js';
import { activations as table } from '../../graph/activations/table.js';
import type { Lowering, LoweringTable } from './lowering.js';

/** The operator of the same name, with all attributes written out. */
function standard({ attributes, asInputs }: Activation): Lowering {
  return (emit, node, inputs) => {
    const given = attributesOf(node, attributes);
    if (!asInputs) return emit.add(node.op, inputs, given);
    return emit.add(node.op, [...inputs, ...Object.values(given).map((value) => emit.scalar(Number(value)))]);
  };
}

/** Activations, element by element. */
export const activations: LoweringTable = Object.fromEntries(
  [...table].map(([name, entry]) => [name, standard(entry)]),
);
