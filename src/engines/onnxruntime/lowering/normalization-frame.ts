import { axisAttribute, intAttribute } from '../../../graph/attributes.js';
import type { Node, Shape } from '../../../graph/types.js';
import { sizeOf } from '../../../graph/types.js';

/** How a normalisation looks at its tensors. Mean, deviation, scale and bias broadcast against `view`. */
export interface Frame {
  readonly view: Shape;
  readonly moments: Shape;
  /** Axes of `view` that a mean is taken over. */
  readonly momentAxes: readonly number[];
  readonly affine: Shape;
  /** Axes of `view` over which one scale and bias is shared. */
  readonly affineAxes: readonly number[];
}

type FrameRule = (x: Shape, node: Node) => Frame;

const batch: FrameRule = ([examples, channels, ...rest]) => ({
  view: [examples!, channels!, sizeOf(rest)],
  moments: [1, channels!, 1],
  momentAxes: [0, 2],
  affine: [1, channels!, 1],
  affineAxes: [0, 2],
});

function grouped([examples, channels, ...rest]: Shape, groups: number): Frame {
  const members = channels! / groups;
  return {
    view: [examples!, groups, members, sizeOf(rest)],
    moments: [examples!, groups, 1, 1],
    momentAxes: [2, 3],
    affine: [1, groups, members, 1],
    affineAxes: [0, 3],
  };
}

const layer: FrameRule = (x, node) => {
  const axis = axisAttribute(node, x.length, -1);
  const [outer, inner] = [sizeOf(x.slice(0, axis)), sizeOf(x.slice(axis))];
  return { view: [outer, inner], moments: [outer, 1], momentAxes: [1], affine: [1, inner], affineAxes: [0] };
};

const frames: Readonly<Record<string, FrameRule>> = {
  BatchNormTraining: batch,
  BatchNormGrad: batch,
  InstanceNormalization: (x) => grouped(x, x[1]!),
  InstanceNormGrad: (x) => grouped(x, x[1]!),
  GroupNormalization: (x, node) => grouped(x, intAttribute(node, 'num_groups')),
  GroupNormGrad: (x, node) => grouped(x, intAttribute(node, 'num_groups')),
  LayerNormGrad: layer,
};

/** The frame of a normalisation of x, or of its gradient. */
export function frameOf(node: Node, x: Shape): Frame {
  return frames[node.op]!(x, node);
}
