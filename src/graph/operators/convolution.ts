import type { Application } from '../application.js';
import { intsAttribute } from '../attributes.js';
import { convolutionInput, convolutionOf, convolutionOutput } from '../windows.js';
import type { Entry, TensorType } from './define.js';
import { checkOptional, float, floatInput, floatInputOf, operator } from './define.js';

function conv(node: Application): TensorType[] {
  floatInput(node, 0);
  floatInput(node, 1);
  const convolution = convolutionOf(node);
  checkOptional(node, 2, [convolution.outputChannels]);
  return [float(convolutionOutput(convolution))];
}

function convTranspose(node: Application): TensorType[] {
  const convolution = convolutionOf(node);
  floatInput(node, 1);
  floatInputOf(node, 0, convolutionOutput(convolution));
  checkOptional(node, 2, [convolution.inputChannels]);
  return [float(convolutionInput(convolution))];
}

function convGradInput(node: Application): TensorType[] {
  const convolution = convolutionOf(node);
  floatInput(node, 1);
  floatInputOf(node, 0, convolutionOutput(convolution));
  return [float(convolutionInput(convolution))];
}

function convGradWeight(node: Application): TensorType[] {
  const convolution = convolutionOf(node);
  floatInput(node, 1);
  floatInputOf(node, 0, convolutionOutput(convolution));
  return [float(intsAttribute(node, 'kernel_shape'))];
}

const sliding = ['strides', 'pads', 'dilations', 'group'];

/** Convolutions. The window's extents are those of the weight, so `kernel_shape` is not repeated. */
export const convolutions: readonly Entry[] = [
  operator('Conv', [2, 3], sliding, conv),
  operator('ConvTranspose', [2, 3], [...sliding, 'output_padding'], convTranspose),
  operator('ConvGradInput', [2, 2], [...sliding, 'input_shape'], convGradInput),
  operator('ConvGradWeight', [2, 2], [...sliding, 'kernel_shape'], convGradWeight),
];
