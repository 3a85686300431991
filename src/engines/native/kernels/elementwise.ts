import { Fused } from '../emit/fused.js';
import { transpose } from '../emit/shuffle.js';
import { lines } from '../emit/text.js';
import type { Expression, Stored } from '../plan/expression.js';
import { dependsOnChannel, wholeTensorsOf } from '../plan/expression.js';
import type { Geometry } from '../plan/geometry.js';
import type { Feed, Tensor } from '../plan/objects.js';
import { Parameters } from '../plan/parameters.js';
import type { Step } from '../plan/step.js';
import type { Target } from '../toolchain/target.js';

/** Stores expressions element by element, several in one pass. */
export function map(stored: readonly Stored[], { channels, pixels }: Geometry): Step {
  const parameters = new Parameters();
  const results = stored.map(({ result }) => result);
  const fused = new Fused(parameters, results);
  const outs = stored.map(({ output }) => parameters.write(output));
  const pointers = stored.map(({ output }, k) => `v *const y${k} = ${outs[k]!} + g * ${output.stride};`);
  const values = results.map((result, k) => `const v a${k} = ${fused.value(result, 'e')};`);
  const element = `${values.join('\n')}\n${lines(stored.length, (k) => `y${k}[e] = a${k};`)}`;
  const byChannel = `for (long c = low / ${pixels}; c * ${pixels} < high; c++) {
        ${fused.channelLocals('c')}
        const long end = smaller(high, (c + 1) * ${pixels});
        for (long e = larger(low, c * ${pixels}); e < end; e++) {
          ${element}
        }
      }`;
  const body = `for (long g = 0; g < groups; g++) {
      ${fused.groupLocals}
      ${pointers.join('\n')}
      ${results.some(dependsOnChannel) ? byChannel : `for (long e = low; e < high; e++) {\n${element}\n}`}
    }`;
  const split = { parts: channels * pixels, tile: 1, whole: wholeTensorsOf(results) };
  return parameters.step('map', 'group', body, { split });
}

/** Element types of fed arrays that become tensors, as C types. */
export type FeedType = 'uint8_t' | 'int32_t' | 'int64_t' | 'float';

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
        ${options.type === 'int64_t' ? '' : `for (; e + LANES <= end; e += LANES) {\n${square(options, options.type, fused)}\n}`}
        for (; e < end; e++) {
          v a;
          for (long l = 0; l < LANES; l++) a[l] = (float)rows[l][e];
          y[e] = ${fused.value(result, 'e', 'a')};
        }
      }
    }`;
  return parameters.step('import', 'group', body);
}

/** Feeds that are loaded a vector at a time. */
type VectorFeed = Exclude<FeedType, 'int64_t'>;

const loads: Readonly<Record<VectorFeed, { readonly type: string; readonly load: string }>> = {
  uint8_t: { type: 'bytes', load: 'unaligned_bytes' },
  int32_t: { type: 'v', load: 'unaligned_ints' },
  float: { type: 'v', load: 'unaligned_v' },
};

function square({ result, target }: ImportOptions, type: VectorFeed, fused: Fused): string {
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
