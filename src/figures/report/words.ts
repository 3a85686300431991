import type { RunAnalysis } from '../../analysis/index.js';
import { formatCount, formatLoss, formatShare } from '../format.js';
import { escapeMarkup, printable, stepOf, withUnits } from '../text.js';

const paragraph = (text: string): string => `<p>${escapeMarkup(withUnits(text))}</p>`;
const list = (items: readonly string[]): string =>
  `<ul>${items.map((text) => `<li>${escapeMarkup(withUnits(text))}</li>`).join('')}</ul>`;

/** How the figures are meant, in a few sentences. */
export function howToRead(unit: string): string {
  return paragraph(
    'Every change of the loss is shared out among the parameters that caused it. A negative allocation lowered the loss: that parameter ' +
      '“helped”. A positive one raised it: it “hurt”. Allocations have the unit of the loss (' +
      `${unit}), so they add up to the change of the loss, and what ` +
      'is missing is stated. Shares are stated twice, because parameters that cannot move the loss at all, such as those of dead pixels, are exactly zero.',
  );
}

/** What helping and hurting allocations add up to over the run; empty where single ones were not kept. */
function balanceOfSides({ objectives, summary }: RunAnalysis): string {
  const distribution = objectives[0]?.distribution;
  if (!distribution) return '';
  const { helping, hurting } = distribution;
  const { unit } = summary;
  return (
    ` Over this run all helping allocations add up to ${formatLoss(-helping.mass, unit)} and all hurting ones to ` +
    `${formatLoss(hurting.mass, unit)}; what remains, ${formatLoss(hurting.mass - helping.mass, unit)}, is what the ledger accounts for.`
  );
}

/** Why about half of the parameters hurt in every iteration (paper Section 3); null before the first segment. */
export function whySoManyHurt(analysis: RunAnalysis): string | null {
  const shares = analysis.objectives[0]?.shares.run.shares.ofNonzero;
  if (!shares || shares.helping === null) return null;
  return [
    paragraph(
      `In an average ${stepOf(analysis.summary)} ${formatShare(shares.helping)} of the parameters that did anything helped, and ${formatShare(shares.hurting)} hurt. ` +
        'That is how training works, not a fault of this run: in the networks of the paper barely more than half of the parameters helped ' +
        '(50 % to 58 % on average over training, Section 3). Three things keep the share low:',
    ),
    list([
      'Noise. A step follows the gradient of one mini-batch, a guess at the gradient of all examples. For many parameters not even its sign is right.',
      'Swinging. Steps are longer than the valleys of the loss are wide. A parameter that crosses the bottom helps on the way down and hurts on the way up, often in turn, iteration by iteration.',
      'Momentum, and company. A parameter goes on moving where its own gradient has turned; and it moves at the same time as all others, so the slope that it was sent down may be gone when it arrives.',
    ]),
    paragraph(
      `Where training succeeds, what helps outweighs what hurts by a little, again and again.${balanceOfSides(analysis)} ` +
        'The share is larger early in training and with larger mini-batches.',
    ),
  ].join('\n');
}

/** Words that the page uses, and what they mean here. */
function termsOf({ objectives, summary }: RunAnalysis): readonly (readonly [string, string])[] {
  const { unit, rule } = summary;
  return [
    [
      'allocation',
      `the part of a change of the loss that one parameter caused: its own motion times the slope of the loss along the way (${unit})`,
    ],
    [
      'helping, hurting',
      'an allocation below zero (it lowered the loss), above zero (it raised the loss); “helped” and “hurt” over a run mean the sum of all its allocations',
    ],
    [
      'exactly zero',
      'the parameter did not move, or the loss did not depend on it: neither helping nor hurting',
    ],
    [
      'iteration, segment',
      'one step of training; a segment is the straight way from one stored row of parameters to the next, which is one step unless checkpoints are further apart',
    ],
    [
      'objective',
      `what is measured: the mean loss over all examples of a set, not over a mini-batch; here ${objectives.map(({ name }) => printable(name)).join(', ')}`,
    ],
    ...(unit === 'nats'
      ? [['nat', 'unit of a cross-entropy with natural logarithms; 1 nat = 1.44 bits'] as const]
      : []),
    [
      'layer, neuron',
      'allocations of single parameters are added up over an output neuron or channel, and over a layer',
    ],
    [
      'integrated loss',
      'the first loss plus all allocations so far; where the ledger balances it is the measured loss',
    ],
    [
      'residual, error',
      'what the allocations of a segment add up to, less what the loss did: the error of the integration, which is measured, not estimated',
    ],
    [
      'balance',
      'the cumulative error, the sum of all allocations less the change of the loss, is at most 1 % of that change',
    ],
    [
      `rule (${printable(rule)}), subintervals`,
      'how the slope is averaged along a segment; the way is cut into more parts where the residual exceeds the tolerance',
    ],
    [
      'left rule',
      'the slope at the start of the step alone (first order): cheap, and shown for comparison because it does not add up',
    ],
  ];
}

/** The words that the page uses. */
export function glossary(analysis: RunAnalysis): string {
  const entries = termsOf(analysis).map(
    ([term, meaning]) => `<div><dt>${escapeMarkup(term)}</dt><dd>${escapeMarkup(meaning)}</dd></div>`,
  );
  return `<dl class="glossary">\n${entries.join('\n')}\n</dl>`;
}

/** What did not move: as the caller states it, and other layers than the frozen ones that had no allocation at all; empty where everything moved. */
export function stillThings(
  { objectives }: RunAnalysis,
  heldConstant: readonly string[],
  frozenLayers: readonly string[],
): string[] {
  const still = (objectives[0]?.shares.perLayer ?? []).filter(
    ({ layer, helping, hurting, zero }) =>
      helping + hurting === 0 && zero > 0 && !frozenLayers.includes(layer),
  );
  if (still.length === 0) return [...heldConstant];
  const names = still.slice(0, 12).map(({ layer }) => printable(layer));
  const more = still.length > names.length ? ` and ${formatCount(still.length - names.length)} more` : '';
  return [
    ...heldConstant,
    `Every allocation is exactly zero, whether they were frozen or cannot move the loss: ${names.join(', ')}${more}`,
  ];
}

/** The list of what was held constant. */
export const constantList = (items: readonly string[]): string =>
  items.length > 0
    ? list(items)
    : paragraph('Nothing: all parameters were free to move, and each layer moved the loss.');
