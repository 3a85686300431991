/** Where order matters, cells stand side by side in a vector, never the values of one cell: so the numbers are those of the plain loops, to the bit. */
export const loopsSource = `#include <stdint.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

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

/* begun: whether the target has the sums of what came before, else it begins with zeros */
#define EACH(sums) if (begun) for (int64_t k = 0; k < n; k++) t[k] = (t[k] + sums) / by; \
  else for (int64_t k = 0; k < n; k++) t[k] = (0.0 + sums) / by

EXPORT void lossledger_combine(double *restrict t, int64_t n, int begun, double p, const double *a, double q, const double *b, double r, const double *c) {
  const double by = 1;
  EACH(p * a[k] + q * b[k] + r * c[k]);
}

EXPORT void lossledger_mean(double *t, int64_t n, int begun, double by, int count, const double *a, const double *b, const double *c, const double *d) {
  switch (count) {
    case 1: EACH(a[k]); break;
    case 2: EACH(a[k] + b[k]); break;
    case 3: EACH(a[k] + b[k] + c[k]); break;
    default: EACH(a[k] + b[k] + c[k] + d[k]);
  }
}

EXPORT void lossledger_divide(double *v, int64_t n, double by) {
  for (int64_t k = 0; k < n; k++) v[k] /= by;
}

/* x - x is zero or NaN; its bits are gathered, whose order is free */
#define FINITE(type, bits) EXPORT bool lossledger_finite_##type(const type *v, int64_t n) { \
  bits found = 0; \
  for (int64_t k = 0; k < n; k++) { \
    const type rest = v[k] - v[k]; \
    bits own; \
    memcpy(&own, &rest, sizeof own); \
    found |= own; \
  } \
  return found << 1 == 0; \
}
FINITE(double, uint64_t)
FINITE(float, uint32_t)

EXPORT void lossledger_widen(double *restrict t, const float *restrict v, int64_t n) {
  for (int64_t k = 0; k < n; k++) t[k] = v[k];
}

EXPORT void lossledger_subtract(double *restrict t, const float *restrict a, const float *restrict b, int64_t n) {
  for (int64_t k = 0; k < n; k++) t[k] = (double)a[k] - (double)b[k];
}

EXPORT void lossledger_move(double *restrict t, const float *restrict from, const double *restrict delta, double s, int64_t n) {
  for (int64_t k = 0; k < n; k++) t[k] = from[k] + s * delta[k];
}

EXPORT double lossledger_compensated_dot(const double *a, const double *b, int64_t n) {
  double total = 0, rest = 0;
  for (int64_t k = 0; k < n; k++) ADD(total, rest, a[k] * b[k])
  return isfinite(total) ? total + rest : total;
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
