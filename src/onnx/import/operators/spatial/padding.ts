import type { Value } from '../../../../graph/types.js';
import { pickAlong } from '../along-axis.js';
import { resolveAxis } from '../arguments.js';
import type { NodeContext, TranslationTable } from '../../context.js';

/** Which element of an axis stands at a place before, on or after it. */
const sources: Readonly<Record<string, (place: number, extent: number) => number>> = {
  edge: (place, extent) => Math.min(Math.max(place, 0), extent - 1),
  wrap: (place, extent) => ((place % extent) + extent) % extent,
  reflect: (place, extent) => {
    const period = Math.max(1, 2 * (extent - 1));
    const inside = ((place % period) + period) % period;
    return inside < extent ? inside : period - inside;
  },
};

/** Pads by axis: how much before, how much after. */
function padsOf(c: NodeContext, rank: number): (readonly [begin: number, end: number])[] {
  const given = c.numbers(1) ?? [];
  const axes = (c.numbers(3) ?? [...Array(rank).keys()]).map((axis) => resolveAxis(c, axis, rank));
  const pads = new Array<readonly [number, number]>(rank).fill([0, 0]);
  axes.forEach((axis, k) => (pads[axis] = [given[k] ?? 0, given[k + axes.length] ?? 0]));
  return pads;
}

function pad(c: NodeContext): Value {
  const x = c.value(0);
  const mode = c.attributes.text('mode', 'constant');
  const pads = padsOf(c, x.shape.length);
  if (mode === 'constant') {
    const flat = [...pads.map(([begin]) => begin), ...pads.map(([, end]) => end)];
    return c.add('Pad', [x], { pads: flat, value: c.number(2, 0) });
  }
  const source = Object.hasOwn(sources, mode) ? sources[mode] : undefined;
  if (source === undefined)
    return c.fail(`mode ${mode}`, `mode constant, ${Object.keys(sources).join(', ')}`);
  return pads.reduce((padded, [begin, end], axis) => {
    if (begin === 0 && end === 0) return padded;
    const extent = x.shape[axis]!;
    const length = Math.max(0, begin + extent + end);
    c.spend(length);
    return pickAlong(
      c,
      padded,
      axis,
      Array.from({ length }, (_, k) => source(k - begin, extent)),
    );
  }, x);
}

/** Pad, in all its modes. */
export const padding: TranslationTable = { Pad: pad };
