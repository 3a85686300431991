import type { Application } from '../application.js';
import { inputOf, misfit } from '../application.js';
import { numberAttribute, stringAttribute } from '../attributes.js';
import { sameShape } from '../shapes.js';
import type { Entry, TensorType } from './define.js';
import { checkOptional, float, floatInput, floatInputOf, operator } from './define.js';

/** Checks logits, labels and weights, which start at input `first`. */
function checkLossInputs(node: Application, first: number): void {
  const logits = floatInput(node, first);
  const labels = inputOf(node, first + 1);
  if (logits.shape.length !== 2) throw misfit(node, 'logits [N, C]', 'reshape the logits to [N, C]');
  const [examples, classes] = logits.shape as readonly [number, number];
  if (labels.dtype !== 'int32' || !sameShape(labels.shape, [examples])) {
    throw misfit(node, `int32 labels [${examples}]`);
  }
  checkOptional(node, first + 2, [classes]);
  const reduction = stringAttribute(node, 'reduction', 'mean');
  const smoothing = numberAttribute(node, 'label_smoothing', 0);
  if (!['mean', 'sum'].includes(reduction)) throw misfit(node, 'reduction: mean or sum');
  if (!(smoothing >= 0 && smoothing < 1)) throw misfit(node, 'label_smoothing in [0, 1)');
}

function loss(node: Application): TensorType[] {
  checkLossInputs(node, 0);
  return [float([])];
}

function lossGradient(node: Application): TensorType[] {
  floatInputOf(node, 0, []);
  checkLossInputs(node, 1);
  return [float(floatInput(node, 1).shape)];
}

const attributes = ['reduction', 'label_smoothing'];

/** Losses that stay whole operators, and their gradients. */
export const losses: readonly Entry[] = [
  operator('SoftmaxCrossEntropyLoss', [2, 3], attributes, loss),
  operator('SoftmaxCrossEntropyLossGrad', [3, 4], attributes, lossGradient),
];
