import { short } from './numbers.js';
import type { ScaleOptions } from './plot.js';

/** How losses are drawn. */
export interface LossAxis {
  readonly scale: ScaleOptions;
  /** Whether it is logarithmic. */
  readonly isLog: boolean;
  /** Whether integrated losses leave it, and are drawn at its ends. */
  readonly leaves: boolean;
}

const extentOf = (values: ArrayLike<number>): [low: number, high: number] => {
  let [low, high] = [Infinity, -Infinity];
  for (let k = 0; k < values.length; k++)
    [low, high] = [Math.min(low, values[k]!), Math.max(high, values[k]!)];
  return [low, high];
};

/**
 * As in the report: measured losses fill the panel, and integrated ones as far as a quarter of that beyond it. Logarithmic where a loss
 * rises to over a thousand times its first value, as in a run that diverges.
 */
export function lossAxis(measured: ArrayLike<number>, integrated: ArrayLike<number>): LossAxis {
  const [low, high] = extentOf(measured);
  const [least, most] = extentOf(integrated);
  const air = 0.25 * (high - low || Math.abs(high) || 1);
  const leaves = least < low - air || most > high + air;
  if (low > 0 && high > 1000 * measured[0]!) {
    const [bottom, top] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
    const step = Math.ceil((top - bottom) / 5);
    const ticks = Array.from(
      { length: Math.floor((top - bottom) / step) + 1 },
      (_, k) => 10 ** (bottom + k * step),
    );
    const domain = [10 ** bottom, 10 ** top];
    const tickFormat = (value: number) => short(value, 1);
    return {
      scale: { type: 'log', domain, clamp: true, nice: false, ticks, tickFormat },
      isLog: true,
      leaves,
    };
  }
  if (!leaves) return { scale: {}, isLog: false, leaves };
  const domain = [Math.max(low - air, Math.min(low, least)), Math.min(high + air, Math.max(high, most))];
  return { scale: { domain, clamp: true }, isLog: false, leaves };
}

/** A value as it can stand on the axis: a logarithmic one has no place for what is not above zero. */
export const onAxis = ({ isLog }: LossAxis, value: number): number =>
  isLog ? Math.max(value, Number.MIN_VALUE) : value;
