import { Fused } from '../emit/fused.js';
import { transpose } from '../emit/shuffle.js';
import { lines } from '../emit/text.js';
import type { Expression } from '../plan/expression.js';
import { dependsOnChannel, tensorsOf } from '../plan/expression.js';
import type { Geometry } from '../plan/geometry.js';
import type { Feed, Tensor } from '../plan/objects.js';
import { Parameters } from '../plan/parameters.js';
import type { Step } from '../plan/step.js';
import type { Target } from '../toolchain/target.js';

/** Stores an expression element by element. */
export function map(expression: Expression, { channels, pixels }: Geometry, output: Tensor): Step {
  const parameters = new Parameters();
  const fused = new Fused(parameters, [expression]);
  const out = parameters.write(output);
  const body = `for (long g = 0; g < groups; g++) {
      ${fused.groupLocals}
      v *const y = ${out} + g * ${output.stride};
      for (long c = 0; c < ${channels}; c++) {
        ${fused.channelLocals('c')}
        for (long e = c * ${pixels}; e < (c + 1) * ${pixels}; e++) y[e] = ${fused.value(expression, 'e')};
      }
    }`;
  return parameters.step('map', 'group', body, { replaceable: tensorsOf(expression) });
}

/** Element types of fed arrays that become tensors, as C types. */
export type FeedType = 'uint8_t' | 'int32_t' | 'float';

export interface ImportOptions {
  readonly feed: Feed;
  readonly type: FeedType;
  /** N: examples of the chunk. */
  readonly examples: number;
  readonly geometry: Geometry;
  readonly output: Tensor;
  /** What is stored, in terms of the fed number (the leaf \`computed\`). */
  readonly result: Expression;
  readonly target: Target;
}

/**
 * Brings an array [N, …] into lanes, square by square. Lanes without an example repeat the last one, so that they
 * never bring forth a NaN of their own.
 */
export function importFeed(options: ImportOptions): Step {
  const { examples, output, geometry, result } = options;
  const parameters = new Parameters();
  const feed = parameters.feed(options.feed, options.type);
  const fused = new Fused(parameters, [result]);
  const out = parameters.write(output);
  const elements = geometry.channels * geometry.pixels;
  const runs = dependsOnChannel(result) ? geometry : { channels: 1, pixels: elements };
  const body = `for (long g = 0; g < groups; g++) {
      ${fused.groupLocals}
      v *const y = ${out} + g * ${output.stride};
      const ${options.type} *rows[LANES];
      for (long l = 0; l < LANES; l++) {
        rows[l] = ${feed} + smaller((first + g) * LANES + l, ${examples - 1}) * ${elements}L;
      }
      for (long c = 0; c < ${runs.channels}; c++) {
        ${fused.channelLocals('c')}
        long e = c * ${runs.pixels};
        const long end = e + ${runs.pixels};
        for (; e + LANES <= end; e += LANES) {
          ${square(options, fused)}
        }
        for (; e < end; e++) {
          v a;
          for (long l = 0; l < LANES; l++) a[l] = (float)rows[l][e];
          y[e] = ${fused.value(result, 'e', 'a')};
        }
      }
    }`;
  return parameters.step('import', 'group', body);
}

const loads: Readonly<Record<FeedType, { readonly type: string; readonly load: string }>> = {
  uint8_t: { type: 'bytes', load: 'unaligned_bytes' },
  int32_t: { type: 'v', load: 'unaligned_ints' },
  float: { type: 'v', load: 'unaligned_v' },
};

function square({ type, result, target }: ImportOptions, fused: Fused): string {
  const { type: vector, load } = loads[type];
  const loaded = (l: number): string => `*(const ${load} *)(rows[${l}] + e)`;
  const value = (l: number): string =>
    type === 'int32_t' ? `__builtin_convertvector((ints)${loaded(l)}, v)` : `(${vector})${loaded(l)}`;
  const names = Array.from({ length: target.lanes }, (_, l) => `r${l}`);
  const widen =
    type === 'uint8_t' ? (name: string): string => `v_from_bytes(${name})` : (name: string): string => name;
  return `${lines(target.lanes, (l) => `${vector} r${l} = ${value(l)};`)}
    ${transpose(names, vector)}
    ${lines(target.lanes, (l) => `{ const v a = ${widen(`r${l}`)}; y[e + ${l}] = ${fused.value(result, `e + ${l}`, 'a')}; }`)}`;
}
