import { sizeOf } from '../../../graph/types.js';
import type { Convolution } from '../../../graph/windows.js';
import { convolutionOf } from '../../../graph/windows.js';
import type { Kernel, Tensor } from '../tensor.js';
import { zeros } from '../tensor.js';
import type { Tap } from './taps.js';
import { tapsOf } from './taps.js';

/** Called once for each weight of each example, with where its output and input channel begin. */
type Visit = (tap: Tap, weight: number, output: number, input: number) => void;

function forEachWeight(convolution: Convolution, visit: Visit): void {
  const { examples, group, inputChannels, outputChannels } = convolution;
  const taps = tapsOf(convolution);
  const [inputSize, outputSize] = [sizeOf(convolution.input), sizeOf(convolution.output)];
  const [perGroupIn, perGroupOut] = [inputChannels / group, outputChannels / group];
  for (let n = 0; n < examples; n++) {
    for (let o = 0; o < outputChannels; o++) {
      const firstInput = n * inputChannels + Math.floor(o / perGroupOut) * perGroupIn;
      for (let c = 0; c < perGroupIn; c++) {
        const weights = (o * perGroupIn + c) * taps.length;
        for (let t = 0; t < taps.length; t++) {
          visit(taps[t]!, weights + t, (n * outputChannels + o) * outputSize, (firstInput + c) * inputSize);
        }
      }
    }
  }
}

/** Adds a bias [C] to y [N, C, …]. */
function addBias(y: Tensor, bias: Tensor | undefined): Tensor {
  if (bias === undefined) return y;
  const channels = y.shape[1]!;
  const inner = sizeOf(y.shape.slice(2));
  for (let i = 0; i < y.data.length; i++) y.data[i]! += bias.data[Math.floor(i / inner) % channels]!;
  return y;
}

const conv: Kernel = ([x, w, bias], node) => {
  const y = zeros(node.outputs[0]!.shape);
  forEachWeight(convolutionOf(node), (tap, weight, output, input) => {
    const factor = w!.data[weight]!;
    for (let k = 0; k < tap.output.length; k++) {
      y.data[output + tap.output[k]!]! += factor * x!.data[input + tap.input[k]!]!;
    }
  });
  return [addBias(y, bias)];
};

const gradInput: Kernel = ([dy, w], node) => {
  const dx = zeros(node.outputs[0]!.shape);
  forEachWeight(convolutionOf(node), (tap, weight, output, input) => {
    const factor = w!.data[weight]!;
    for (let k = 0; k < tap.output.length; k++) {
      dx.data[input + tap.input[k]!]! += factor * dy!.data[output + tap.output[k]!]!;
    }
  });
  return [dx];
};

const gradWeight: Kernel = ([dy, x], node) => {
  const dw = zeros(node.outputs[0]!.shape);
  forEachWeight(convolutionOf(node), (tap, weight, output, input) => {
    let total = 0;
    for (let k = 0; k < tap.output.length; k++) {
      total += dy!.data[output + tap.output[k]!]! * x!.data[input + tap.input[k]!]!;
    }
    dw.data[weight]! += total;
  });
  return [dw];
};

/** The gradient of a convolution, plus a bias. */
const convTranspose: Kernel = ([x, w, bias], node) => {
  const [y] = gradInput([x, w], node);
  return [addBias(y!, bias)];
};

export const convolutions: Readonly<Record<string, Kernel>> = {
  Conv: conv,
  ConvGradInput: gradInput,
  ConvGradWeight: gradWeight,
  ConvTranspose: convTranspose,
};
