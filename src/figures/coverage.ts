import type { Coverage, LeftOut } from '../analysis/index.js';
import { formatCount, formatNumber } from './format.js';
import { printable } from './text.js';

/** A share in words; one that is not quite all is never rounded to it. */
function inWords(share: number): string {
  const percent = formatNumber(100 * share, 4);
  if (share === 1) return 'all';
  if (Number(percent) !== 100) return `${percent} %`;
  const rest = formatNumber(100 * Math.abs(1 - share), 2);
  return share < 1 ? `all but ${rest} %` : `all and ${rest} % more`;
}

const reasons: Readonly<Record<LeftOut['why'], string>> = {
  'held constant': 'Held constant, as the model file has it',
  constant: 'Constants of the network, such as masks, tables and buffers',
  'not in the model': 'Recorded and passed over',
};

/** Names that a list shows at most. */
const shown = 8;

/** What share of a run its ledger accounts for, in sentences. */
export function coverageSentences({ parameters, motion, lossChange }: Coverage, unit: string): string[] {
  const changes = lossChange.flatMap(({ objective, accounted, all, share }) =>
    share === null
      ? []
      : `${inWords(share)} of the change of ${printable(objective)} (${formatNumber(accounted)} of ${formatNumber(all)} ${unit})`,
  );
  const unchanged = lossChange.flatMap(({ objective, accounted, share }) =>
    share === null
      ? `The loss of ${printable(objective)} did not change; their allocations to it add up to ${formatNumber(accounted)} ${unit}.`
      : [],
  );
  return [
    `The ledger has entries for ${formatCount(parameters.accounted)} of ${formatCount(parameters.all)} parameters (${inWords(parameters.share ?? 1)}).`,
    ...(motion === null
      ? [
          'What share of all motion they made is not known: that of tensors which were passed over is known of a recording that was over, once all segments are measured.',
        ]
      : []),
    ...(motion === null || motion.share === null
      ? []
      : [`They made ${inWords(motion.share)} of the known motion (by squared length).`]),
    ...(changes.length === 0 ? [] : [`Their allocations are ${changes.join(', ')}.`]),
    ...unchanged,
  ];
}

/** What the ledger leaves out, by reason, with numbers. */
export function leftOutSentences({ leftOut }: Coverage): string[] {
  return Object.entries(reasons).flatMap(([why, words]) => {
    const own = leftOut.filter((one) => one.why === why).sort((a, b) => b.numbers - a.numbers);
    if (own.length === 0) return [];
    const names = own
      .slice(0, shown)
      .map(({ name, numbers }) => `${printable(name)} (${formatCount(numbers)})`);
    const more = own.length > shown ? ` and ${formatCount(own.length - shown)} more` : '';
    return [`${words}: ${names.join(', ')}${more}`];
  });
}
