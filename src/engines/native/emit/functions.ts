/** Elementary functions of vectors, by the C library where accuracy matters more than speed. */
export const elementaryFunctions = `
#define LANEWISE(name, function) \\
  static inline v name(v a) { for (int l = 0; l < LANES; l++) a[l] = function(a[l]); return a; }
LANEWISE(v_log, logf)
LANEWISE(v_log1p, log1pf)
LANEWISE(v_expm1, expm1f)
LANEWISE(v_tanh, tanhf)
LANEWISE(v_erf, erff)
static inline v v_pow(v a, v b) { for (int l = 0; l < LANES; l++) a[l] = powf(a[l], b[l]); return a; }
/* e^a for all a: 0 or infinite where v_exp would stay within its bounds */
static inline v v_exp_unbounded(v a) {
  v y = v_exp(a);
  for (int l = 0; l < LANES; l++) if (!(a[l] > -87.0f && a[l] < 88.0f)) y[l] = expf(a[l]);
  return y;
}
/* 1 / (1 + e^-a) without overflow */
static inline v v_sigmoid(v a) {
  const v small = v_exp(-v_max(a, -a)), one = v_set(1.0f);
  return v_if_greater(v_set(0.0f), a, small, one) / (one + small);
}
static inline v v_equal(v a, v b) { return v_if_equal(a, b, v_set(1.0f)); }`;
