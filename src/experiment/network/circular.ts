import type { Reading } from '../../formats/reading.js';
import { slicingOf } from '../../graph/slices.js';
import type { Graph, Node, Value } from '../../graph/types.js';

/**
 * Warns of circular padding as PyTorch's exporters by trace wrote it up to 1.13 at least: in front of the padded numbers stand those that
 * end one before the last, in place of the last ones, so that the file is not the network that was trained.
 */
export function circularReadings({ nodes }: Graph): Reading[] {
  const slices = new Map(nodes.filter(({ op }) => op === 'Slice').map((node) => [node.outputs[0]!.id, node]));
  const found = nodes.find((node) => node.op === 'Concat' && isShortOfOne(node, slices));
  if (found === undefined) return [];
  return [
    {
      about: 'circular padding',
      decision: 'computed as the model file has it, which is probably not what was trained',
      evidence: `${found.name} puts the numbers up to the last but one in front, as PyTorch 1.13 exports padding_mode='circular', which takes the last ones; export torch.cat([x[..., -p:], x, x[..., :p]], -1) in its place`,
      warning: true,
    },
  ];
}

/** Whether a Concat puts a piece of a value in front of that value itself, along the same axis, that ends one before its end. */
function isShortOfOne({ inputs, attributes }: Node, slices: ReadonlyMap<number, Node>): boolean {
  const [front, whole] = inputs as readonly (Value | undefined)[];
  const slice = front && slices.get(front.id);
  if (slice === undefined || whole === undefined || slice.inputs[0]?.id !== whole.id) return false;
  const rank = whole.shape.length;
  const axis = (Number(attributes['axis'] ?? 0) + rank) % rank;
  const { starts, steps, extents } = slicingOf(slice);
  const isPiece = extents.every((extent, k) => k === axis || extent === whole.shape[k]);
  return isPiece && steps[axis] === 1 && starts[axis]! + extents[axis]! === whole.shape[axis]! - 1;
}
