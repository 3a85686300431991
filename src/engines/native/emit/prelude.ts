import { matrixUnitCode } from './matrix-unit.js';
import { transpose } from './shuffle.js';
import { lines } from './text.js';
import type { Target } from '../toolchain/target.js';

/** Elementary functions of vectors, by the C library where accuracy matters more than speed; `v_tanh` and `v_erf` pass on a NaN. */
const elementaryFunctions = `
#define LANEWISE(name, function) \\
  static inline v name(v a) { for (int l = 0; l < LANES; l++) a[l] = function(a[l]); return a; }
LANEWISE(v_log, logf)
LANEWISE(v_log1p, log1pf)
LANEWISE(v_expm1, expm1f)
LANEWISE(v_sin, sinf)
LANEWISE(v_cos, cosf)
LANEWISE(v_atan, atanf)
LANEWISE(v_trunc, truncf)
LANEWISE(v_floor, floorf)
LANEWISE(v_ceil, ceilf)
LANEWISE(v_round, rintf)
static inline v v_remainder(v a, v b) { for (int l = 0; l < LANES; l++) a[l] = fmodf(a[l], b[l]); return a; }
static inline double d_max(double a, double b) { return a > b ? a : b; }
static inline double d_largest(double a, double b) { return a != a || a > b ? a : b; }
static inline double d_bell(double a) { return exp(a * a * -0.5); }
static inline double d_normal(double a) { return 0.5 * erfc(a * -0.70710678118654752); }
static inline double d_sigmoid(double a) { return a > 0 ? 1 / (1 + exp(-a)) : exp(a) / (1 + exp(a)); }
static inline v v_pow(v a, v b) { for (int l = 0; l < LANES; l++) a[l] = powf(a[l], b[l]); return a; }
/* e^a for all a: 0 or infinite where v_exp would stay within its bounds */
static inline v v_exp_unbounded(v a) {
  v y = v_exp(a);
  if (v_all((ints)(a > v_set(-87.0f)) & (ints)(a < v_set(88.0f)))) return y;
  for (int l = 0; l < LANES; l++) if (!(a[l] > -87.0f && a[l] < 88.0f)) y[l] = expf(a[l]);
  return y;
}
/* 1 / (1 + e^-a) without overflow */
static inline v v_sigmoid(v a) {
  const v small = v_exp(-v_max(a, -a)), one = v_set(1.0f);
  return v_if_greater(v_set(0.0f), a, small, one) / (one + small);
}
/* tanh to about 1.5 units in the last place: a polynomial near 0, else by e^2a */
static inline v v_tanh(v a) {
  const v size = v_max(-a, a), z = a * a, one = v_set(1.0f);
  v p = -5.70498872745e-3f * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  const v far = one - 2.0f / (v_exp(size + size) + one);
  return v_if_greater(v_set(0.625f), size, p * z * a + a, v_if_greater(v_set(0.0f), a, -far, far));
}
/* the error function to about one unit in the last place: a polynomial near 0, else 1 - e^p */
static inline v v_erf(v a) {
  const v t = v_max(-a, a), s = a * a;
  v far = (-1.72853470e-5f * t + 3.83197126e-4f) * s + (-3.88396438e-3f * t + 2.42546219e-2f);
  far = far * t - 1.06777877e-1f;
  far = far * t - 6.34846687e-1f;
  far = far * t - 1.28717512e-1f;
  far = 1.0f - v_exp(far * t - t);
  v near = -5.96761703e-4f * s + 4.99119423e-3f;
  near = near * s - 2.67681349e-2f;
  near = near * s + 1.12819925e-1f;
  near = near * s - 3.76125336e-1f;
  near = near * s + 1.28379166e-1f;
  return v_if_greater(t, v_set(0.927734375f), v_if_greater(v_set(0.0f), a, -far, far), near * a + a);
}
/* e^(-a²/2), as small as e^-87 at least */
static inline v v_bell(v a) { return v_exp(a * a * -0.5f); }
/* the cumulative function of the normal distribution, to 1.5e-7: its tail is the bell times a polynomial of 1 / (1 + 0.3 |a|) */
static inline v v_normal(v a) {
  const v one = v_set(1.0f), u = one / (v_max(-a, a) * 0.3f + one);
  v p = 3.57323550e-2f * u - 1.56960383e-1f;
  p = p * u + 2.05020502e-1f;
  p = p * u - 5.15425280e-2f;
  p = p * u + 1.26914561e-1f;
  p = p * u + 1.00573465e-1f;
  p = p * u + 1.20622560e-1f;
  p = p * u + 1.19639471e-1f;
  const v tail = p * u * v_bell(a);
  return v_if_greater(v_set(0.0f), a, tail, one - tail);
}
static inline v v_equal(v a, v b) { return v_if_equal(a, b, v_set(1.0f)); }`;

const headers: Readonly<Record<Target['name'], string>> = {
  avx512: '#include <immintrin.h>',
  avx2: '#include <immintrin.h>',
  neon: '#include <arm_neon.h>',
  portable: '',
};

/**
 * Operations that vector extensions of C have no operator for, or that compilers do badly. In `v_max` the second operand passes
 * on a NaN; `v_low` and `v_high` are the halves of a vector as doubles.
 */
const operations: Readonly<Record<Target['name'], string>> = {
  avx512: `
static inline v v_max(v a, v b) { return (v)_mm512_max_ps((__m512)a, (__m512)b); }
static inline v v_sqrt(v a) { return (v)_mm512_sqrt_ps((__m512)a); }
static inline v v_if_greater(v a, v b, v yes, v no) {
  return (v)_mm512_mask_blend_ps(_mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_GT_OQ), (__m512)no, (__m512)yes);
}
static inline int v_all(ints a) { return _mm512_movepi32_mask((__m512i)a) == 0xffff; }
static inline v v_from_bytes(bytes a) { return (v)_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32((__m128i)a)); }
static inline doubles v_low(v a) { return (doubles)_mm512_cvtps_pd(_mm512_castps512_ps256((__m512)a)); }
static inline doubles v_high(v a) { return (doubles)_mm512_cvtps_pd(_mm512_extractf32x8_ps((__m512)a, 1)); }`,
  avx2: `
static inline v v_max(v a, v b) { return (v)_mm256_max_ps((__m256)a, (__m256)b); }
static inline v v_sqrt(v a) { return (v)_mm256_sqrt_ps((__m256)a); }
static inline v v_if_greater(v a, v b, v yes, v no) {
  return (v)_mm256_blendv_ps((__m256)no, (__m256)yes, _mm256_cmp_ps((__m256)a, (__m256)b, _CMP_GT_OQ));
}
static inline int v_all(ints a) { return _mm256_movemask_ps((__m256)a) == 0xff; }
static inline v v_from_bytes(bytes a) {
  long long eight; memcpy(&eight, &a, 8);
  return (v)_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_cvtsi64_si128(eight)));
}
static inline doubles v_low(v a) { return (doubles)_mm256_cvtps_pd(_mm256_castps256_ps128((__m256)a)); }
static inline doubles v_high(v a) { return (doubles)_mm256_cvtps_pd(_mm256_extractf128_ps((__m256)a, 1)); }`,
  neon: `
static inline v v_max(v a, v b) { return (v)vmaxq_f32((float32x4_t)a, (float32x4_t)b); }
static inline v v_sqrt(v a) { return (v)vsqrtq_f32((float32x4_t)a); }
static inline v v_if_greater(v a, v b, v yes, v no) {
  return (v)vbslq_f32(vcgtq_f32((float32x4_t)a, (float32x4_t)b), (float32x4_t)yes, (float32x4_t)no);
}
static inline int v_all(ints a) { return vminvq_u32((uint32x4_t)a) != 0; }
static inline v v_from_bytes(bytes a) { return __builtin_convertvector(a, v); }
static inline doubles v_low(v a) { return (doubles)vcvt_f64_f32(vget_low_f32((float32x4_t)a)); }
static inline doubles v_high(v a) { return (doubles)vcvt_high_f64_f32((float32x4_t)a); }`,
  portable: `
static inline v v_max(v a, v b) { for (int l = 0; l < LANES; l++) a[l] = a[l] > b[l] ? a[l] : b[l]; return a; }
static inline v v_sqrt(v a) { for (int l = 0; l < LANES; l++) a[l] = sqrtf(a[l]); return a; }
static inline v v_if_greater(v a, v b, v yes, v no) {
  for (int l = 0; l < LANES; l++) no[l] = a[l] > b[l] ? yes[l] : no[l];
  return no;
}
static inline int v_all(ints a) { return a[0] & a[1] & a[2] & a[3]; }
static inline v v_from_bytes(bytes a) { return __builtin_convertvector(a, v); }
static inline doubles v_low(v a) { return (doubles){a[0], a[1]}; }
static inline doubles v_high(v a) { return (doubles){a[2], a[3]}; }`,
};

/** How a vector is kept in a register: by an empty instruction that may change it. */
const inRegister: Readonly<Record<Target['name'], string>> = {
  avx512: '__asm__("" : "+v"(x))',
  avx2: '__asm__("" : "+x"(x))',
  neon: '__asm__("" : "+w"(x))',
  portable: '(void)0',
};

/** The start of every generated file: the vector type \`v\` of the target and what works on it. */
export function prelude(target: Target): string {
  const { lanes } = target;
  return `
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <sys/mman.h>
${headers[target.name]}
#define LANES ${lanes}
#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define NOINLINE __attribute__((noinline))
#define UNOPTIMISED __attribute__((optnone, noinline))
#else
#define NOINLINE __attribute__((noinline, noclone))
#define UNOPTIMISED __attribute__((optimize("O0"), noinline))
#endif
/* one vector: the same number of LANES examples */
typedef float v __attribute__((vector_size(${4 * lanes})));
typedef float unaligned_v __attribute__((vector_size(${4 * lanes}), aligned(4)));
typedef uint8_t bytes __attribute__((vector_size(${lanes})));
typedef uint8_t unaligned_bytes __attribute__((vector_size(${lanes}), aligned(1)));
typedef int32_t ints __attribute__((vector_size(${4 * lanes})));
typedef int32_t unaligned_ints __attribute__((vector_size(${4 * lanes}), aligned(4)));
typedef double doubles __attribute__((vector_size(${4 * lanes}), aligned(8)));
#if defined(__clang__) || __GNUC__ >= 12
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) \\
  _Generic((a), bytes: __builtin_shuffle((bytes)(a), (bytes)(b), (bytes){__VA_ARGS__}), \\
           default: __builtin_shuffle((v)(a), (v)(b), (ints){__VA_ARGS__}))
#endif
#define EXPORT __attribute__((visibility("default")))
/* keeps an operand of several products in a register, where compilers would read it from memory for each */
#define IN_REGISTER(x) ${inRegister[target.name]}
INLINE long smaller(long a, long b) { return a < b ? a : b; }
INLINE long larger(long a, long b) { return a > b ? a : b; }
INLINE v v_set(float a) { return a - (v){0}; }
${operations[target.name]}
/* the larger of two numbers; a NaN where either is one, because v_max returns its second operand then */
INLINE v v_maximum(v a, v b) { return (v)((ints)v_max(a, b) | (ints)v_max(b, a)); }
/* stores the transpose of LANES vectors, as vectors that lie stride apart */
static NOINLINE void store_transposed(const v *from, v *to, long stride) {
  ${lines(lanes, (l) => `v r${l} = from[${l}];`)}
  ${transpose(
    Array.from({ length: lanes }, (_, l) => `r${l}`),
    'v',
  )}
  ${lines(lanes, (l) => `to[${l} * stride] = r${l};`)}
}
/* a where x equals y, else 0 */
INLINE v v_if_equal(v x, v y, v a) { return (v)((ints)a & (ints)(x == y)); }
/* e^a to about one unit in the last place, a kept within [-87, 88]; a NaN stays one */
INLINE v v_exp(v a) {
  const v x = -v_max(v_set(-88.0f), -v_max(v_set(-87.0f), a));
  const v shifted = x * 1.44269504088896341f + 12582912.0f;
  const v n = shifted - 12582912.0f;
  const v r = x - n * 0.693359375f - n * -2.12194440e-4f;
  v p = 1.9875691500e-4f * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const ints power = ((ints)shifted - 0x4b400000 + 127) << 23;
  return p * (v)power;
}
/* brings double sums into the cache while something else is computed */
INLINE void will_add(const double *sums) {
  __builtin_prefetch(sums, 1);
  __builtin_prefetch(sums + LANES / 2, 1);
}
/* adds float sums to double sums */
INLINE void add_sums(double *sums, v a) {
  doubles *d = (doubles *)sums;
  d[0] += v_low(a);
  d[1] += v_high(a);
}
/* adds x and x * x of count numbers a lane, given as sums of distances from the lane's pivot */
INLINE void add_moments(double *sum, double *squares, v mask, v pivot, v far, v far_squared, double count) {
  double s = 0, q = 0;
  for (int l = 0; l < LANES; l++) {
    const double p = pivot[l], d = far[l], valid = mask[l];
    s += valid * (count * p + d);
    q += valid * (far_squared[l] + 2 * p * d + count * p * p);
  }
  *sum += s;
  *squares += q;
}
${elementaryFunctions}
${target.matrixUnit === null ? '' : matrixUnitCode(target.matrixUnit)}`;
}
