import type { Convolution } from '../../../../graph/windows.js';
import type { Axis } from '../axes.js';
import { axesOf } from '../axes.js';
import type { Gather } from '../convolution/gather.js';
import type { ForwardAxis, Scheme } from './scheme.js';
import {
  productsOf,
  schemeOfFive,
  schemeOfFour,
  schemeOfSpread,
  schemeOfStride,
  schemeOfTwo,
  tilesOf,
} from './scheme.js';

/** Tiles of a plane that are enough to reuse each weight. */
const LEAST_TILES = 4;

/** A square window without gaps, by its side and stride. */
type Window = '3' | '3 by 2' | '5';

function windowOf({ y, x }: { readonly y: Axis; readonly x: Axis }): Window | null {
  const isSquare = y.kernel === x.kernel && y.stride === x.stride && y.dilation === 1 && x.dilation === 1;
  if (!isSquare) return null;
  if (y.kernel === 5 && y.stride === 1) return '5';
  if (y.kernel !== 3) return null;
  return y.stride === 1 ? '3' : y.stride === 2 ? '3 by 2' : null;
}

/**
 * Estimated cycles, per 2×2 positions of the window: Winograd's products and transforms against the direct sum's products. A
 * direct sum is no worse with fewer channels than these.
 */
function isFaster(window: Window, inputs: number, outputs: number): boolean {
  const pairs = inputs * outputs;
  if (window === '3') return 8 * pairs + 16 * inputs + 30 * outputs < 0.85 * 18 * pairs;
  if (window === '5') return 18 * pairs + 75 * inputs + 40 * outputs < 0.85 * 50 * pairs;
  return 12.5 * pairs + 20 * inputs + 30 * outputs < 0.85 * 18 * pairs;
}

/**
 * The scheme by which a convolution is computed, or the gradient of its input; null: by direct sums.
 *
 * 3×3: tiles of 4×4 for gradients, where the plane has enough of them, else of 2×2. Their rounding errors are three times those of 2×2:
 * little in itself, but in the forward pass they would make more activations change sign, and each of those changes the gradient by much
 * more. 5×5 have a scheme for gradients alone, for the same reason. Schemes of a stride of 2 only add, and are more exact than direct sums.
 */
export function schemeFor(gather: Gather): Scheme | null {
  const { axes, isGradient, classes, output } = gather;
  const window = windowOf(axes);
  if (gather.group !== 1 || window === null) return null;
  if (!isFaster(window, gather.inputChannels, gather.outputChannels)) return null;
  if (window === '5') return isGradient ? schemeOfFive : null;
  if (window === '3 by 2') {
    const first = ({ pad }: Axis): 0 | 1 => (pad % 2 === 1 ? 1 : 0);
    if (gather.strideY === 2) return schemeOfStride;
    return classes.length === 4 ? schemeOfSpread(first(axes.y), first(axes.x)) : null;
  }
  return isGradient && tilesOf(schemeOfFour, output.height, output.width) >= LEAST_TILES
    ? schemeOfFour
    : schemeOfTwo;
}

/** That of the gradient of a weight: 3×3 in tiles of 4×4 outputs where they take fewer products than those of 2×2. */
export function weightSchemeFor(c: Convolution): Scheme<ForwardAxis> | null {
  if (c.group !== 1 || c.input.length !== 2) return null;
  const window = windowOf(axesOf(c));
  if (window === null || !isFaster(window, c.inputChannels, c.outputChannels)) return null;
  if (window === '5') return schemeOfFive;
  if (window === '3 by 2') return schemeOfStride;
  const [height, width] = c.output as [number, number];
  const isFewer = productsOf(schemeOfFour, height, width) < productsOf(schemeOfTwo, height, width);
  return isFewer ? schemeOfFour : schemeOfTwo;
}
