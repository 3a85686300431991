import { DataError } from '../../../errors.js';
import { axisAttribute } from '../../../graph/attributes.js';
import { aroundAxis } from '../../../graph/shapes.js';
import type { Node, Shape } from '../../../graph/types.js';
import type { Kernel, Tensor } from '../tensor.js';
import { zeros } from '../tensor.js';

/** Throws DataError where a label or an index from the data is out of range. */
export function checkIndex(index: number, extent: number, node: Node): void {
  if (index >= 0 && index < extent) return;
  throw new DataError({
    given: `index ${index} in ${node.op} node ${node.name}`,
    expected: `an index in [0, ${extent - 1}]`,
    remedy: 'check the labels or token numbers of the data against the model',
  });
}

/** Pairs every element that Gather picks, in order, with its flat index in the data. */
function gatherOffsets(data: Shape, indices: Tensor, node: Node): Int32Array {
  const [outer, extent, inner] = aroundAxis(data, axisAttribute(node, data.length, 0));
  const offsets = new Int32Array(outer * indices.data.length * inner);
  let k = 0;
  for (let o = 0; o < outer; o++) {
    for (const given of indices.data) {
      const index = given < 0 ? given + extent : given;
      checkIndex(index, extent, node);
      const from = (o * extent + index) * inner;
      for (let i = 0; i < inner; i++) offsets[k++] = from + i;
    }
  }
  return offsets;
}

const gather: Kernel = ([data, indices], node) => {
  const result = zeros(node.outputs[0]!.shape);
  const offsets = gatherOffsets(data!.shape, indices!, node);
  for (let i = 0; i < offsets.length; i++) result.data[i] = data!.data[offsets[i]!]!;
  return [result];
};

const gatherGrad: Kernel = ([dy, indices], node) => {
  const result = zeros(node.outputs[0]!.shape);
  const offsets = gatherOffsets(result.shape, indices!, node);
  for (let i = 0; i < offsets.length; i++) result.data[offsets[i]!]! += dy!.data[i]!;
  return [result];
};

export const indexing: Readonly<Record<string, Kernel>> = { Gather: gather, GatherGrad: gatherGrad };
