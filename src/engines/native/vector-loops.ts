import type * as Koffi from 'koffi';
import { addScaledInto, type Term } from '../../num/sums.js';
import { plainLoops, type Strip, type VectorLoops } from '../../num/vector-loops.js';
import { openShared } from './library.js';
import { cachedLibrary, type CacheOptions } from './toolchain/cache.js';
import type { Compiler } from './toolchain/compiler.js';

/** Behind the compiler's own flags: each product is rounded before it is added, as JavaScript does it. */
const exactFlags = ['-O3', '-ffp-contract=off'];

/** The loops of `VectorLoops`, compiled for this machine; what they are not made for, such as float32, goes to the plain ones. Throws EngineError. */
export async function compiledLoops(compiler: Compiler, cache: CacheOptions): Promise<VectorLoops> {
  const exact = { ...compiler, args: [...compiler.args, ...exactFlags] };
  return openShared(await cachedLibrary(exact, source, cache), loopsOf);
}

const stripArguments = 'int64 offset, int64 outer, int64 extent, int64 inner, int64 first';

function loopsOf(library: Koffi.LibraryHandle): VectorLoops {
  const combine = library.func(
    'void lossledger_combine(double *, int64, double, const double *, double, const double *, double, const double *)',
  );
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
      target.fill(0);
      const whole = terms.length - (terms.length % 3);
      for (let from = 0; from < whole; from += 3) {
        const [a, b, c] = terms.slice(from, from + 3) as [Term, Term, Term];
        combine(target, target.length, a.weight, a.vector, b.weight, b.vector, c.weight, c.vector);
      }
      for (const { weight, vector } of terms.slice(whole)) addScaledInto(target, weight, vector);
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

/** Where order matters, cells stand side by side in a vector, never the values of one cell: so the numbers are those of the plain loops, to the bit. */
const source = `#include <stdint.h>
#include <math.h>

#define EXPORT __attribute__((visibility("default")))
enum { WIDTH = 8 };
typedef double wide __attribute__((vector_size(8 * WIDTH)));
typedef int64_t mask __attribute__((vector_size(8 * WIDTH)));
typedef wide loose __attribute__((aligned(8), may_alias));

#define STRIP int64_t offset, int64_t outer, int64_t extent, int64_t inner, int64_t first
/* the same place of neighbouring cells of n values each */
#define GATHER(p, n) ((wide){(p)[0], (p)[n], (p)[2 * (n)], (p)[3 * (n)], (p)[4 * (n)], (p)[5 * (n)], (p)[6 * (n)], (p)[7 * (n)]})
#define ADD(total, rest, value) { \\
    const __typeof__(total) next = total + (value), added = next - total; \\
    rest += total - (next - added) + ((value) - added); \\
    total = next; \\
  }

EXPORT void lossledger_combine(double *restrict t, int64_t n, double p, const double *a, double q, const double *b, double r, const double *c) {
  for (int64_t k = 0; k < n; k++) t[k] = t[k] + p * a[k] + q * b[k] + r * c[k];
}

EXPORT int64_t lossledger_multiply(double *restrict exact, float *restrict stored, const double *a, const double *b, int64_t n) {
  int64_t bad = 0;
  for (int64_t k = 0; k < n; k++) {
    const double value = a[k] * b[k];
    bad += !(fabs(value) <= 0x1.fffffep127);
    exact[k] = value;
    stored[k] = (float)value;
  }
  return bad;
}

EXPORT void lossledger_sum_strip(double *restrict totals, double *restrict lost, const double *restrict v, STRIP) {
  v += offset, totals += first, lost += first;
  for (int64_t row = 0; row < outer; row++) {
    int64_t cell = 0;
    for (; cell + WIDTH <= extent; cell += WIDTH, v += WIDTH * inner) {
      wide total = *(const loose *)(totals + cell), rest = *(const loose *)(lost + cell);
      if (inner == 1) ADD(total, rest, *(const loose *)v)
      else for (int64_t k = 0; k < inner; k++) ADD(total, rest, GATHER(v + k, inner))
      *(loose *)(totals + cell) = total;
      *(loose *)(lost + cell) = rest;
    }
    for (; cell < extent; cell++, v += inner) {
      double total = totals[cell], rest = lost[cell];
      for (int64_t k = 0; k < inner; k++) ADD(total, rest, v[k])
      totals[cell] = total;
      lost[cell] = rest;
    }
  }
}

EXPORT double lossledger_dot(const double *a, const double *b, int64_t from, int64_t to) {
  double s = 0, t = 0, u = 0, v = 0;
  int64_t k = from;
  for (; k + 4 <= to; k += 4) s += a[k] * b[k], t += a[k + 1] * b[k + 1], u += a[k + 2] * b[k + 2], v += a[k + 3] * b[k + 3];
  for (; k < to; k++) s += a[k] * b[k];
  return s + t + (u + v);
}

EXPORT void lossledger_count_strip(int32_t *restrict below, int32_t *restrict above, const double *restrict v, STRIP) {
  v += offset, below += first, above += first;
  for (int64_t row = 0; row < outer; row++, v += extent * inner) {
    if (inner == 1) {
      for (int64_t cell = 0; cell < extent; cell++) {
        below[cell] += v[cell] < 0;
        above[cell] += v[cell] > 0;
      }
      continue;
    }
    for (int64_t cell = 0; cell < extent; cell++) {
      const double *own = v + cell * inner;
      int64_t helping = 0, hurting = 0;
      for (int64_t k = 0; k < inner; k++) {
        helping += own[k] < 0;
        hurting += own[k] > 0;
      }
      below[cell] += helping;
      above[cell] += hurting;
    }
  }
}

EXPORT void lossledger_pack_signs(uint8_t *restrict bits, const double *restrict v, int64_t n) {
  const mask weights = {1, 2, 4, 8, 16, 32, 64, 128};
  int64_t k = 0;
  for (; k + WIDTH <= n; k += WIDTH) {
    const mask own = (*(const loose *)(v + k) < 0) & weights;
    bits[k / 8] = own[0] | own[1] | own[2] | own[3] | own[4] | own[5] | own[6] | own[7];
  }
  for (; k < n; k++) bits[k / 8] = (k % 8 ? bits[k / 8] : 0) | (v[k] < 0) << k % 8;
}

EXPORT void lossledger_count_flags(int32_t *restrict counts, const uint8_t *restrict flags, STRIP) {
  flags += offset, counts += first;
  for (int64_t row = 0; row < outer; row++, flags += extent * inner) {
    if (inner == 1) {
      for (int64_t cell = 0; cell < extent; cell++) counts[cell] += flags[cell];
      continue;
    }
    for (int64_t cell = 0; cell < extent; cell++) {
      int32_t count = 0;
      for (int64_t k = 0; k < inner; k++) count += flags[cell * inner + k];
      counts[cell] += count;
    }
  }
}

EXPORT void lossledger_differing_bits(uint8_t *restrict flags, const uint8_t *before, const uint8_t *after, int64_t bytes) {
  for (int64_t byte = 0; byte < bytes; byte++) {
    const uint8_t bits = before[byte] ^ after[byte];
    for (int bit = 0; bit < 8; bit++) flags[8 * byte + bit] = bits >> bit & 1;
  }
}
`;
