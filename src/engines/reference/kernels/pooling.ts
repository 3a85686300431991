import { intAttribute } from '../../../graph/attributes.js';
import type { Node } from '../../../graph/types.js';
import { sizeOf } from '../../../graph/types.js';
import type { Pooling, Windows } from '../../../graph/windows.js';
import { poolingOf } from '../../../graph/windows.js';
import type { Kernel } from '../tensor.js';
import { zeros } from '../tensor.js';
import { tapsOf } from './taps.js';

/** Calls `visit` for each element of each window: window `o` of the output reads element `i` of the input. */
function forEachRead(pooling: Pooling, visit: (o: number, i: number) => void): void {
  const [inputSize, outputSize] = [sizeOf(pooling.input), sizeOf(pooling.output)];
  const taps = tapsOf(pooling);
  for (let image = 0; image < pooling.examples * pooling.channels; image++) {
    for (const tap of taps) {
      for (let k = 0; k < tap.output.length; k++) {
        visit(image * outputSize + tap.output[k]!, image * inputSize + tap.input[k]!);
      }
    }
  }
}

/** Math.max, so that a NaN in a window reaches the result. */
const maxPool: Kernel = ([x], node) => {
  const y = zeros(node.outputs[0]!.shape);
  y.data.fill(-Infinity);
  forEachRead(poolingOf(node), (o, i) => {
    y.data[o] = Math.max(y.data[o]!, x!.data[i]!);
  });
  return [y];
};

const maxPoolGrad: Kernel = ([dy, x, y], node) => {
  const dx = zeros(x!.shape);
  const taken = new Uint8Array(y!.data.length);
  forEachRead(poolingOf(node), (o, i) => {
    if (taken[o] === 1 || x!.data[i] !== y!.data[o]) return;
    dx.data[i]! += dy!.data[o]!;
    taken[o] = 1;
  });
  return [dx];
};

/** What each window of an average divides by; padding counts where `count_include_pad` says so. */
function divisors(pooling: Windows, node: Node): Float64Array {
  const widened: Windows = {
    ...pooling,
    input: pooling.input.map((extent, axis) => extent + pooling.padsBegin[axis]! + pooling.padsEnd[axis]!),
    padsBegin: pooling.input.map(() => 0),
  };
  const counts = new Float64Array(sizeOf(pooling.output));
  for (const tap of tapsOf(intAttribute(node, 'count_include_pad', 0) === 1 ? widened : pooling)) {
    for (const window of tap.output) counts[window]!++;
  }
  return counts;
}

const averagePool: Kernel = ([x], node) => {
  const y = zeros(node.outputs[0]!.shape);
  const pooling = poolingOf(node);
  const counts = divisors(pooling, node);
  forEachRead(pooling, (o, i) => {
    y.data[o]! += x!.data[i]!;
  });
  return [{ ...y, data: y.data.map((sum, o) => sum / counts[o % counts.length]!) }];
};

const averagePoolGrad: Kernel = ([dy], node) => {
  const dx = zeros(node.outputs[0]!.shape);
  const pooling = poolingOf(node);
  const counts = divisors(pooling, node);
  forEachRead(pooling, (o, i) => {
    dx.data[i]! += dy!.data[o]! / counts[o % counts.length]!;
  });
  return [dx];
};

const globalAveragePool: Kernel = ([x], node) => {
  const y = zeros(node.outputs[0]!.shape);
  const size = sizeOf(x!.shape.slice(2));
  for (let i = 0; i < x!.data.length; i++) y.data[Math.floor(i / size)]! += x!.data[i]! / size;
  return [y];
};

export const pools: Readonly<Record<string, Kernel>> = {
  MaxPool: maxPool,
  MaxPoolGrad: maxPoolGrad,
  AveragePool: averagePool,
  AveragePoolGrad: averagePoolGrad,
  GlobalAveragePool: globalAveragePool,
};
