import type { ObjectiveAnalysis, RunAnalysis } from '../analysis/index.js';
import { formatCount, formatShare } from './format.js';
import { stepOf } from './text.js';

/** How certain the signs of an objective's allocations are, in whole sentences; none where that was not measured. */
export function certaintySentences({ certainty }: ObjectiveAnalysis, { summary }: RunAnalysis): string[] {
  if (certainty?.helping == null) return [];
  const { share, helping, missed } = certainty;
  const stated =
    `Of the entries not zero, ${formatShare(share)} are undetermined, nearer to zero than their error: ` +
    `between ${formatShare(helping.least)} and ${formatShare(helping.most)} help.`;
  if (missed === null) return [stated];
  const wanted = `${formatShare(missed.wanted)} of the signs`;
  if (missed.segments === 0)
    return [stated, `In every ${stepOf(summary)} ${wanted} are certain, as was asked for.`];
  const { segments, byRounding } = missed;
  const reasons = [
    ...(byRounding > 0 ? [`in ${formatCount(byRounding)} since gradients are rounded`] : []),
    ...(segments > byRounding ? [`in ${formatCount(segments - byRounding)} since refinement ended`] : []),
  ];
  return [
    stated,
    `${wanted} were asked to be certain; in ${formatCount(segments)} of ${formatCount(summary.segments)} ${stepOf(summary)}s fewer are: ${reasons.join(', ')}.`,
  ];
}
