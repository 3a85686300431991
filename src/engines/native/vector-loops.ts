import type * as Koffi from 'koffi';
import { addScaledInto, type Term } from '../../num/sums.js';
import { plainLoops, type Strip, type VectorLoops } from '../../num/vector-loops.js';
import { openShared } from './library.js';
import { cachedLibrary, type CacheOptions } from './toolchain/cache.js';
import type { Compiler } from './toolchain/compiler.js';
import { loopsSource } from './vector-loops-source.js';

/** Behind the compiler's own flags: each product is rounded before it is added, as JavaScript does it. */
const exactFlags = ['-O3', '-ffp-contract=off'];

/** The loops of `VectorLoops`, compiled for this machine; what they are not made for, such as float32, goes to the plain ones. Throws EngineError. */
export async function compiledLoops(compiler: Compiler, cache: CacheOptions): Promise<VectorLoops> {
  const exact = { ...compiler, args: [...compiler.args, ...exactFlags] };
  return openShared(await cachedLibrary(exact, loopsSource, cache), loopsOf);
}

/** Vectors that a mean takes in one pass. */
const together = 4;

const stripArguments = 'int64 offset, int64 outer, int64 extent, int64 inner, int64 first';

function loopsOf(library: Koffi.LibraryHandle): VectorLoops {
  const combine = library.func(
    'void lossledger_combine(double *, int64, int, double, const double *, double, const double *, double, const double *)',
  );
  const mean = library.func(
    'void lossledger_mean(double *, int64, int, double, int, const double *, const double *, const double *, const double *)',
  );
  const divide = library.func('void lossledger_divide(double *, int64, double)');
  const areFinite = {
    double: library.func('bool lossledger_finite_double(const double *, int64)'),
    float: library.func('bool lossledger_finite_float(const float *, int64)'),
  };
  const widen = library.func('void lossledger_widen(double *, const float *, int64)');
  const subtract = library.func('void lossledger_subtract(double *, const float *, const float *, int64)');
  const move = library.func('void lossledger_move(double *, const float *, const double *, double, int64)');
  const dot = library.func('double lossledger_compensated_dot(const double *, const double *, int64)');
  const multiply = library.func(
    'int64 lossledger_multiply(double *, float *, const double *, const double *, int64)',
  );
  const sumStrip = library.func(`void lossledger_sum_strip(double *, double *, const double *, ${stripArguments})`); // prettier-ignore
  const countStrip = library.func(`void lossledger_count_strip(int32 *, int32 *, const double *, ${stripArguments})`); // prettier-ignore
  const dotOf = library.func('double lossledger_dot(const double *, const double *, int64, int64)');
  const packSigns = library.func('void lossledger_pack_signs(uint8 *, const double *, int64)');
  const countFlags = library.func(`void lossledger_count_flags(int32 *, const uint8 *, ${stripArguments})`);
  const differingBits = library.func('void lossledger_differing_bits(uint8 *, const uint8 *, const uint8 *, int64)'); // prettier-ignore
  return {
    combine: (target, terms) => {
      if (!terms.every(({ vector }) => isDouble(vector, target.length))) {
        plainLoops.combine(target, terms);
        return;
      }
      if (terms.length < 3) target.fill(0);
      const whole = terms.length - (terms.length % 3);
      for (let from = 0; from < whole; from += 3) {
        const [a, b, c] = terms.slice(from, from + 3) as [Term, Term, Term];
        combine(
          target,
          target.length,
          from === 0 ? 0 : 1,
          a.weight,
          a.vector,
          b.weight,
          b.vector,
          c.weight,
          c.vector,
        );
      }
      for (const { weight, vector } of terms.slice(whole)) addScaledInto(target, weight, vector);
    },
    mean: (target, sources, divisor) => {
      requireLength(sources, target.length);
      if (sources.length === 0) target.fill(0);
      for (let from = 0; from < sources.length; from += together) {
        const own = sources.slice(from, from + together);
        const spare = Array.from({ length: together - own.length }, () => target);
        const last = from + together >= sources.length ? divisor : 1;
        mean(target, target.length, from === 0 ? 0 : 1, last, own.length, ...own, ...spare);
      }
    },
    divide: (values, divisor) => { divide(values, values.length, divisor); }, // prettier-ignore
    areFinite: (values) =>
      (values instanceof Float64Array ? areFinite.double : areFinite.float)(values, values.length) as boolean,
    widen: (target, source) => {
      requireLength([source], target.length);
      widen(target, source, target.length);
    },
    subtract: (target, a, b) => {
      requireLength([a, b], target.length);
      subtract(target, a, b, target.length);
    },
    move: (target, from, delta, s) => {
      requireLength([from, delta], target.length);
      move(target, from, delta, s, target.length);
    },
    dot: (a, b) => {
      requireLength([b], a.length);
      return dot(a, b, a.length) as number;
    },
    multiply: (exact, stored, a, b) => {
      const n = exact.length;
      if (stored instanceof Float64Array) return plainLoops.multiply(exact, stored, a, b);
      requireLength([stored, a, b], n);
      return Number(multiply(exact, stored, a, b, n));
    },
    sumStrip: (totals, lost, values, strip) => {
      if (values instanceof Float32Array) {
        plainLoops.sumStrip(totals, lost, values, strip);
        return;
      }
      requireFit(values, strip, [totals, lost]);
      sumStrip(totals, lost, values, ...argumentsOf(strip));
    },
    dotOf: (a, b, from, to) => {
      requireFit(a, { offset: from, outer: 1, extent: 1, inner: to - from, first: 0 }, []);
      requireLength([b], a.length);
      return dotOf(a, b, from, to) as number;
    },
    countStrip: (below, above, values, strip) => {
      requireFit(values, strip, [below, above]);
      countStrip(below, above, values, ...argumentsOf(strip));
    },
    packSigns: (bits, values) => {
      requireLength([bits], Math.ceil(values.length / 8));
      packSigns(bits, values, values.length);
    },
    countFlags: (counts, flags, strip) => {
      requireFit(flags, strip, [counts]);
      countFlags(counts, flags, ...argumentsOf(strip));
    },
    differingBits: (flags, before, after) => {
      requireLength([after], before.length);
      requireLength([flags], 8 * before.length);
      differingBits(flags, before, after, before.length);
    },
  };
}

const isDouble = (vector: ArrayLike<number>, length: number): boolean =>
  vector instanceof Float64Array && vector.length === length;

function argumentsOf({ offset, outer, extent, inner, first }: Strip): number[] {
  return [offset, outer, extent, inner, first];
}

/** Compiled code reads and writes where it is told to. Throws RangeError for arrays of another length than `length`. */
function requireLength(arrays: readonly ArrayLike<number>[], length: number): void {
  if (arrays.every((array) => array.length === length)) return;
  throw new RangeError(`arrays of ${arrays.map((array) => array.length).join(', ')} numbers where ${length} are expected`);
} // prettier-ignore

/** Throws RangeError for a strip that is not inside its values [n], or whose cells are not among those of each of `cells`. */
function requireFit(values: ArrayLike<number>, strip: Strip, cells: readonly ArrayLike<number>[]): void {
  const { offset, outer, extent, inner, first } = strip;
  const isInside = offset >= 0 && offset + outer * extent * inner <= values.length;
  if (isInside && first >= 0 && cells.every(({ length }) => first + extent <= length)) return;
  throw new RangeError(`a strip ${JSON.stringify(strip)} of ${values.length} values and ${cells.map(({ length }) => length).join(', ')} cells`);
} // prettier-ignore
