import type { Attributes, Value } from '../../graph/types.js';
import { sizeOf } from '../../graph/types.js';
import type { Backward, GradientRules } from '../backward.js';

/** The sum over everything but the channels, where a bias was added. */
function biasGradient(step: Backward): (Value | null)[] {
  if (!step.node.inputs[2]) return [];
  const others = [...step.dy.shape.keys()].filter((axis) => axis !== 1);
  return [step.sum(step.dy, others)];
}

function conv(step: Backward): (Value | null)[] {
  const [x, w] = [step.input(0), step.input(1)];
  const { attributes } = step.node;
  return [
    step.apply('ConvGradInput', [step.dy, w], { ...attributes, input_shape: x.shape }),
    step.apply('ConvGradWeight', [step.dy, x], { ...attributes, kernel_shape: w.shape }),
    ...biasGradient(step),
  ];
}

/** ConvTranspose is the gradient of a convolution from y to x, so its own gradients are that convolution's. */
function convTranspose(step: Backward): (Value | null)[] {
  const [x, w] = [step.input(0), step.input(1)];
  const sliding: Attributes = Object.fromEntries(
    Object.entries(step.node.attributes).filter(([name]) => name !== 'output_padding'),
  );
  return [
    step.apply('Conv', [step.dy, w], sliding),
    step.apply('ConvGradWeight', [x, step.dy], { ...sliding, kernel_shape: w.shape }),
    ...biasGradient(step),
  ];
}

function averagePool(step: Backward): Value[] {
  const attributes = { ...step.node.attributes, input_shape: step.input(0).shape };
  return [step.apply('AveragePoolGrad', [step.dy], attributes)];
}

function globalAveragePool(step: Backward): Value[] {
  const { shape } = step.input(0);
  const share = step.apply('Mul', [step.dy, step.scalar(1 / sizeOf(shape.slice(2)))]);
  return [step.expand(share, shape)];
}

/** Convolution and pooling, by their whole gradient operators. */
export const windows: GradientRules = {
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: (step) => [
    step.apply('MaxPoolGrad', [step.dy, step.input(0), step.output(0)], step.node.attributes),
  ],
  AveragePool: averagePool,
  GlobalAveragePool: globalAveragePool,
};
