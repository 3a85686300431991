import type { MatrixUnit } from '../toolchain/target.js';

/*
 * A tile of a matrix unit has 16 rows of 64 bytes. Tiles 0 to 3 hold sums, 4 and 5 left operands [16 rows, 32 steps], 6 and 7 right ones
 * [16 pairs of steps, LANES columns]: a word is two bfloat16 of successive steps, the earlier one in its lower half.
 */

/** Asks Linux for the state of tiles (arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA), for the whole process. */
export const grantCode = `
#include <unistd.h>
#include <sys/syscall.h>
static int tiles_granted(void) { return syscall(SYS_arch_prctl, 0x1023, 18) == 0; }`;

/** By Intel's AMX. Compilers forget that a load reads memory, so that stores before it have to be kept there by hand. */
const amx = `${grantCode}
#define TILE_ZERO(c) _tile_zero(c)
#define TILE_LOAD(t, from, stride) _tile_loadd(t, from, stride)
#define TILE_STORE(c, to, stride) _tile_stored(c, to, stride)
#define TILE_PRODUCT(c, a, b) _tile_dpbf16ps(c, a, b)
#define TILES_READ_MEMORY() __asm__ volatile("" ::: "memory")
static void tiles_begin(void) {
  struct __attribute__((packed)) { uint8_t palette, start, reserved[14]; uint16_t bytes[16]; uint8_t rows[16]; } config = {1};
  for (int t = 0; t < 8; t++) { config.bytes[t] = 64; config.rows[t] = 16; }
  TILES_READ_MEMORY();
  _tile_loadconfig(&config);
}
static void tiles_end(void) { _tile_release(); }`;

/** The same in plain C, to the bit: what Intel's manual says of TDPBF16PS. Subnormal numbers count as zeros, and none comes out. */
const emulated = `
static _Thread_local uint32_t tile_words[8][16][16];
#define TILE_ZERO(c) memset(tile_words[c], 0, sizeof tile_words[c])
#define TILE_LOAD(t, from, stride) tile_copy((char *)tile_words[t], 64, (const char *)(from), stride)
#define TILE_STORE(c, to, stride) tile_copy((char *)(to), stride, (const char *)tile_words[c], 64)
#define TILE_PRODUCT(c, a, b) tile_product(tile_words[c], tile_words[a], tile_words[b])
#define TILES_READ_MEMORY() (void)0
static int tiles_granted(void) { return 1; }
static void tiles_begin(void) {}
static void tiles_end(void) {}
INLINE void tile_copy(char *to, long to_stride, const char *from, long from_stride) {
  const long bytes = smaller(64, smaller(to_stride, from_stride));
  for (int row = 0; row < 16; row++) memcpy(to + row * to_stride, from + row * from_stride, (size_t)bytes);
}
INLINE float tile_flush(float a) { return fabsf(a) < 0x1p-126f ? copysignf(0, a) : a; }
INLINE float tile_float(uint32_t bits) {
  float a;
  memcpy(&a, &bits, 4);
  return tile_flush(a);
}
static NOINLINE void tile_product(uint32_t c[16][16], uint32_t a[16][16], uint32_t b[16][16]) {
  for (int row = 0; row < 16; row++) {
    float even[LANES] = {0}, odd[LANES] = {0};
    for (int pair = 0; pair < 16; pair++) {
      const float a0 = tile_float(a[row][pair] << 16), a1 = tile_float(a[row][pair] & 0xffff0000);
      for (int l = 0; l < LANES; l++) {
        even[l] = tile_flush(even[l] + a0 * tile_float(b[pair][l] << 16));
        odd[l] = tile_flush(odd[l] + a1 * tile_float(b[pair][l] & 0xffff0000));
      }
    }
    for (int l = 0; l < LANES; l++) {
      const float sum = tile_flush(tile_float(c[row][l]) + tile_flush(even[l] + odd[l]));
      memcpy(&c[row][l], &sum, 4);
    }
  }
}`;

const units: Readonly<Record<MatrixUnit, string>> = { amx, emulated };

/** C code of tiles, and of numbers as sums of bfloat16. Needs the rest of the prelude before it. */
export function matrixUnitCode(unit: MatrixUnit): string {
  return `${units[unit]}
typedef uint32_t words __attribute__((vector_size(4 * LANES)));
/* rounds to bfloat16, as the upper halves of words; the lower ones are zeros */
INLINE words to_upper(v a) {
  const words bits = (words)a;
  return (bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000;
}
/*
 * a number as three bfloat16 in upper halves, largest first, which add up to it exactly, unless the last would be subnormal. The last is cut
 * off rather than rounded, so that a NaN remains one.
 */
INLINE void split(v a, words *terms) {
  terms[0] = to_upper(a);
  const v rest = a - (v)terms[0];
  terms[1] = to_upper(rest);
  terms[2] = (words)(rest - (v)terms[1]) & 0xffff0000;
}
/* words of two successive steps */
INLINE words pair_of(words a, words b) { return (a >> 16) | b; }
/* stores the terms of pairs of successive steps, as words that lie so many vectors apart */
INLINE void store_pairs(v a, v b, words *to, long apart) {
  words terms_a[3], terms_b[3];
  split(a, terms_a);
  split(b, terms_b);
  for (int t = 0; t < 3; t++) to[apart * t] = pair_of(terms_a[t], terms_b[t]);
}
/* LANES bytes, or those that there are, with zeros behind them */
INLINE bytes bytes_at(const uint8_t *x, long count) {
  if (count >= LANES) return (bytes)*(const unaligned_bytes *)x;
  bytes a = {0};
  for (long l = 0; l < count; l++) a[l] = x[l];
  return a;
}
/* words of bytes, which are bfloat16 themselves */
INLINE words byte_pairs(bytes a, bytes b) { return pair_of((words)v_from_bytes(a), (words)v_from_bytes(b)); }`;
}
