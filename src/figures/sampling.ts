import type { ObjectiveAnalysis, RunAnalysis } from '../analysis/index.js';
import { formatCount, formatLoss, formatNumber, formatShare } from './format.js';

/** `±` and the half-width of a 95 % interval. */
export const plusMinus = (halfWidth: number): string => `±${formatNumber(halfWidth, 2)}`;

/** That an objective was measured on a sample, and what follows, in whole sentences; none where it was measured whole. */
export function samplingSentences(
  { sampling, name, conservation, shares }: ObjectiveAnalysis,
  { summary }: RunAnalysis,
): string[] {
  if (sampling === null) return [];
  const { examples, from, blocks, lossChange, helping } = sampling;
  const share = formatShare(shares.run.shares.ofNonzero.helping);
  const width = helping?.halfWidth ?? null;
  const varies = width === null ? 'varies by more than ±20 points' : `varies by ±${formatShare(width)}`;
  const sure =
    helping === null
      ? ''
      : ` The share helping, ${share} of those not zero, ${varies} between samples of this size, and is ${formatShare(helping.ofFewer)} on average with two thirds as many examples.`;
  return [
    `A sample: ${formatCount(examples)} of ${formatCount(from)} ${name} examples were measured, in ${formatCount(blocks)} blocks, whose spread gives intervals of 95 %.`,
    `Over all of them the loss changed by ${formatLoss(conservation.lossChange, summary.unit)} ±${formatNumber(lossChange, 2)}.`,
    `Single parameters, their signs and shares are those of the sample: over all examples many signs are others.${sure}`,
  ];
}
