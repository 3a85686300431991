import { axisAttribute, intAttribute, numberAttribute } from '../../../graph/attributes.js';
import { stridesOf } from '../../../graph/shapes.js';
import type { Node, Shape } from '../../../graph/types.js';
import type { Kernel, Tensor } from '../tensor.js';
import { offsetsOf, zeros } from '../tensor.js';

/** For each element of x: which mean and deviation it is normalised by, and which scale and bias it gets. */
interface Membership {
  readonly moment: Int32Array;
  readonly affine: Int32Array;
}

type MembershipRule = (x: Shape, node: Node) => Membership;

/** Offset that counts channels, whatever the example and the place. */
function channelOf(x: Shape): Int32Array {
  return offsetsOf(
    x,
    x.map((_, axis) => (axis === 1 ? 1 : 0)),
  );
}

const batch: MembershipRule = (x) => ({ moment: channelOf(x), affine: channelOf(x) });

function groups(x: Shape, count: number): Membership {
  const split = [x[0]!, count, x[1]! / count, ...x.slice(2)];
  const strides = split.map((_, axis) => [count, 1][axis] ?? 0);
  return { moment: offsetsOf(split, strides), affine: channelOf(x) };
}

const instance: MembershipRule = (x) => groups(x, x[1]!);
const group: MembershipRule = (x, node) => groups(x, intAttribute(node, 'num_groups'));

const layer: MembershipRule = (x, node) => {
  const axis = axisAttribute(node, x.length, -1);
  const outer = stridesOf(x.slice(0, axis));
  const inner = stridesOf(x.slice(axis));
  return {
    moment: offsetsOf(x, [...outer, ...inner.map(() => 0)]),
    affine: offsetsOf(x, [...outer.map(() => 0), ...inner]),
  };
};

/** Mean of `values` over the elements that share a moment. */
function meansOf(values: Float64Array, moment: Int32Array, shape: Shape): Tensor {
  const means = zeros(shape);
  const share = means.data.length / values.length;
  for (let i = 0; i < values.length; i++) means.data[moment[i]!]! += values[i]!;
  return { shape, data: means.data.map((total) => total * share) };
}

function forward(rule: MembershipRule): Kernel {
  return ([x, scale, bias], node) => {
    const { moment, affine } = rule(x!.shape, node);
    const { shape } = node.outputs[1]!;
    const mean = meansOf(x!.data, moment, shape);
    const centred = x!.data.map((value, i) => value - mean.data[moment[i]!]!);
    const variance = meansOf(
      centred.map((value) => value * value),
      moment,
      shape,
    );
    const epsilon = numberAttribute(node, 'epsilon', 1e-5);
    const invStd = { shape, data: variance.data.map((value) => 1 / Math.sqrt(value + epsilon)) };
    const y = centred.map(
      (value, i) =>
        value * invStd.data[moment[i]!]! * scale!.data[affine[i]!]! + (bias?.data[affine[i]!] ?? 0),
    );
    return [{ shape: x!.shape, data: y }, mean, invStd];
  };
}

/** With n the normalised x and g = dy · scale: dx = invStd · (g - mean(g) - n · mean(g · n)). */
function gradient(rule: MembershipRule): Kernel {
  return ([dy, x, scale, mean, invStd], node) => {
    const { moment, affine } = rule(x!.shape, node);
    const normal = x!.data.map((value, i) => (value - mean!.data[moment[i]!]!) * invStd!.data[moment[i]!]!);
    const scaled = dy!.data.map((value, i) => value * scale!.data[affine[i]!]!);
    const meanScaled = meansOf(scaled, moment, mean!.shape).data;
    const meanProduct = meansOf(
      scaled.map((value, i) => value * normal[i]!),
      moment,
      mean!.shape,
    ).data;
    const dx = scaled.map((value, i) => {
      const k = moment[i]!;
      return invStd!.data[k]! * (value - meanScaled[k]! - normal[i]! * meanProduct[k]!);
    });
    const [dscale, dbias] = [zeros(scale!.shape), zeros(scale!.shape)];
    for (let i = 0; i < normal.length; i++) {
      dscale.data[affine[i]!]! += dy!.data[i]! * normal[i]!;
      dbias.data[affine[i]!]! += dy!.data[i]!;
    }
    return [{ shape: x!.shape, data: dx }, dscale, dbias];
  };
}

const withGivenStatistics: Kernel = ([x, scale, bias, mean, variance], node) => {
  const epsilon = numberAttribute(node, 'epsilon', 1e-5);
  const channel = channelOf(x!.shape);
  const data = x!.data.map((value, i) => {
    const c = channel[i]!;
    const deviation = Math.sqrt(variance!.data[c]! + epsilon);
    return ((value - mean!.data[c]!) / deviation) * scale!.data[c]! + bias!.data[c]!;
  });
  return [{ shape: x!.shape, data }];
};

export const normalizations: Readonly<Record<string, Kernel>> = {
  BatchNormalization: withGivenStatistics,
  BatchNormTraining: forward(batch),
  LayerNormalization: forward(layer),
  InstanceNormalization: forward(instance),
  GroupNormalization: forward(group),
  BatchNormGrad: gradient(batch),
  LayerNormGrad: gradient(layer),
  InstanceNormGrad: gradient(instance),
  GroupNormGrad: gradient(group),
};
