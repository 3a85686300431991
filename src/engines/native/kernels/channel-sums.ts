import { Fused } from '../emit/fused.js';
import { laneSums } from '../emit/shuffle.js';
import { lines } from '../emit/text.js';
import { splitEvenly, tileLoops } from '../emit/tiles.js';
import type { Expression } from '../plan/expression.js';
import { wholeTensorsOf } from '../plan/expression.js';
import type { Geometry } from '../plan/geometry.js';
import type { StoredObject, Sums, Tensor } from '../plan/objects.js';
import { Parameters } from '../plan/parameters.js';
import type { Step } from '../plan/step.js';
import type { Target } from '../toolchain/target.js';

/** Channels summed at once where an example has one number for each. */
const CHANNELS_AT_ONCE = 8;

export interface ChannelSum {
  readonly expression: Expression;
  /** [channels] */
  readonly sums: Sums;
}

/** Adds the sums of expressions over examples and pixels, by channel. */
export function channelSums(terms: readonly ChannelSum[], geometry: Geometry, target: Target): Step {
  const parameters = new Parameters();
  const expressions = terms.map((term) => term.expression);
  const fused = new Fused(parameters, expressions);
  const names = terms.map((term) => parameters.writeSums(term.sums));
  const isVector = geometry.pixels === 1;
  const write = isVector ? acrossChannels : alongPixels;
  const body = write(expressions, fused, names, geometry, target);
  return parameters.step('channel_sums', isVector ? 'batch' : 'group', body);
}

function addLanes(sums: readonly string[], places: readonly string[], lanes: number): string {
  const { code, results, order } = laneSums(sums, lanes);
  const adds = places.map((place, k) => {
    const slot = order.indexOf(k);
    return `${place} += ${results[Math.floor(slot / lanes)]!}[${slot % lanes}];`;
  });
  return `${code}\n${adds.join('\n')}`;
}

/** One channel at a time; four partial sums hide the latency of additions. */
function alongPixels(
  expressions: readonly Expression[],
  fused: Fused,
  names: readonly string[],
  { channels, pixels }: Geometry,
  target: Target,
): string {
  const partials = Math.min(4, pixels);
  const whole = pixels - (pixels % partials);
  const add = (k: number): string =>
    expressions.map((expression, t) => `a${t}_${k} += ${fused.value(expression, `e + ${k}`)};`).join('\n');
  const totals = expressions.map((_, t) => lines(partials - 1, (k) => `a${t}_0 += a${t}_${k + 1};`));
  return `for (long c = 0; c < ${channels}; c++) {
      ${expressions.map((_, t) => lines(partials, (k) => `v a${t}_${k} = {0};`)).join('\n')}
      for (long g = 0; g < groups; g++) {
        ${fused.groupLocals}
        ${fused.channelLocals('c')}
        long e = c * ${pixels};
        for (; e < c * ${pixels} + ${whole}; e += ${partials}) { ${lines(partials, add)} }
        ${lines(pixels - whole, add)}
      }
      ${totals.join('\n')}
      ${addLanes(
        expressions.map((_, t) => `a${t}_0`),
        names.map((name) => `${name}[c]`),
        target.lanes,
      )}
    }`;
}

/** Several channels at a time, each over all groups. */
function acrossChannels(
  expressions: readonly Expression[],
  fused: Fused,
  names: readonly string[],
  { channels }: Geometry,
  target: Target,
): string {
  const atOnce = Math.max(1, Math.floor(CHANNELS_AT_ONCE / expressions.length));
  return tileLoops('c', splitEvenly(channels, atOnce), (size) => {
    const each = (write: (t: number, k: number) => string): string =>
      expressions.map((_, t) => lines(size, (k) => write(t, k))).join('\n');
    const sums = expressions.flatMap((_, t) => Array.from({ length: size }, (__, k) => `a${t}_${k}`));
    const places = names.flatMap((name) => Array.from({ length: size }, (_, k) => `${name}[c + ${k}]`));
    return `${each((t, k) => `v a${t}_${k} = {0};`)}
      for (long g = 0; g < groups; g++) {
        ${fused.groupLocals}
        ${each((t, k) => `{ ${fused.channelLocals(`c + ${k}`)} a${t}_${k} += ${fused.value(expressions[t]!, `c + ${k}`)}; }`)}
      }
      ${addLanes(sums, places, target.lanes)}`;
  });
}

/** The elements of an example as rows [tokens, width], of which successive `tokensPerChannel` belong to one channel. */
export interface TokenRows {
  readonly tokens: number;
  readonly width: number;
  readonly tokensPerChannel: number;
}

/** Tokens whose numbers join their sums one after the other while these are in registers. */
const TOKENS_AT_ONCE = [4, 1];

/**
 * Adds the sums of expressions over examples and their rows: [width]. Those of an example are kept in `accumulators` [terms, width], lane by
 * lane, until its last row.
 */
export function tokenSums(
  terms: readonly ChannelSum[],
  rows: TokenRows,
  accumulators: Tensor,
  target: Target,
): Step {
  const { tokens, width, tokensPerChannel } = rows;
  const parameters = new Parameters();
  const expressions = terms.map((term) => term.expression);
  const fused = new Fused(parameters, expressions);
  const names = terms.map((term) => parameters.writeSums(term.sums));
  const kept = parameters.write(accumulators);
  const add = (term: number, k: number): string =>
    `a${term} += ${fused.value(expressions[term]!, `e + ${k * width}`)};`;
  const block = (
    size: number,
  ): string => `for (; t + ${size} <= high; t += ${size}) for (long c = 0; c < ${width}; c++) {
        const long e = t * ${width} + c;
        ${lines(terms.length, (term) => `v a${term} = kept[${term * width} + c];`)}
        ${lines(size, (k) => `{ ${fused.channelLocals(`(t + ${k}) / ${tokensPerChannel}`)} ${lines(terms.length, (term) => add(term, k))} }`)}
        ${lines(terms.length, (term) => `kept[${term * width} + c] = a${term};`)}
      }`;
  const body = `for (long g = 0; g < groups; g++) {
      ${fused.groupLocals}
      v *const kept = ${kept} + g * ${accumulators.stride};
      ${startSums('kept', terms.length * width)}
      long t = low;
      ${TOKENS_AT_ONCE.map(block).join('\n')}
      ${finishSums('kept', names, { rows: tokens, width }, target)}
    }`;
  const whole = new Set<StoredObject>([accumulators, ...wholeTensorsOf(expressions)]);
  return parameters.step('token_sums', 'group', body, { split: { parts: tokens, tile: 1, whole } });
}

/** Code that clears sums of an example's rows before its first. */
export const startSums = (kept: string, count: number): string =>
  `if (low == 0) for (long c = 0; c < ${count}; c++) ${kept}[c] = (v){0};`;

/** Code that adds the lanes of such sums [names, width] to those in double, by name, behind the last of the rows. */
export function finishSums(
  kept: string,
  names: readonly string[],
  { rows, width }: { readonly rows: number; readonly width: number },
  { lanes }: Target,
): string {
  const added = (size: number, name: string, k: number): string => {
    const sums = Array.from({ length: size }, (_, i) => `a${i}`);
    return `{ ${lines(size, (i) => `v a${i} = ${kept}[${k * width} + c + ${i}];`)}
      ${addLanes(
        sums,
        Array.from({ length: size }, (_, i) => `${name}[c + ${i}]`),
        lanes,
      )} }`;
  };
  return `if (high == ${rows}) {
    ${tileLoops('c', splitEvenly(width, CHANNELS_AT_ONCE), (size) => names.map((name, k) => added(size, name, k)).join('\n'))}
  }`;
}
