import { axesAttribute } from '../../graph/attributes.js';
import { reducedShape } from '../../graph/shapes.js';
import type { Value } from '../../graph/types.js';
import { sizeOf } from '../../graph/types.js';
import type { Backward, GradientRules } from '../backward.js';

/** A tensor of the result's elements with the reduced axes kept as 1, so that it broadcasts with the input. */
function withAxes(step: Backward, value: Value): Value {
  const { shape } = step.input(0);
  return step.reshape(value, reducedShape(shape, axesAttribute(step.node, shape.length), true));
}

function reduceMean(step: Backward): Value[] {
  const { shape } = step.input(0);
  const share = sizeOf(step.output(0).shape) / sizeOf(shape);
  const scaled = step.apply('Mul', [step.dy, step.scalar(share)]);
  return [step.expand(withAxes(step, scaled), shape)];
}

/** Equal maxima share the gradient. */
function reduceMax(step: Backward): Value[] {
  const x = step.input(0);
  const equal = step.apply('Equal', [x, withAxes(step, step.output(0))]);
  const mask = step.apply('Cast', [equal], { to: 'float32' });
  const axes = axesAttribute(step.node, x.shape.length);
  const count = step.apply('ReduceSum', [mask], { axes, keepdims: 1 });
  const share = step.apply('Div', [withAxes(step, step.dy), count]);
  return [step.apply('Mul', [mask, share])];
}

/** Reductions and softmax. */
export const reductions: GradientRules = {
  ReduceSum: (step) => [step.expand(withAxes(step, step.dy), step.input(0).shape)],
  ReduceMean: reduceMean,
  ReduceMax: reduceMax,
  Softmax: (step) => [step.apply('SoftmaxGrad', [step.dy, step.output(0)], step.node.attributes)],
  LogSoftmax: (step) => [step.apply('LogSoftmaxGrad', [step.dy, step.output(0)], step.node.attributes)],
};
