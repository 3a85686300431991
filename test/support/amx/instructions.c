/*
 * Carries out the instructions of Intel's AMX on processors that lack them, so that code compiled for them is tried as it is: a library with
 * this one beside it is loaded, and the signal that such an instruction raises is answered. It follows what the manual says of each
 * instruction (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2), and ends the process where a processor would refuse.
 */
#define _GNU_SOURCE
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { ROWS = 16, ROW_BYTES = 64, TILES = 8, ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };

struct tile_config {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_bytes[TILES], unused[TILES];
  uint8_t rows[TILES], unused_rows[TILES];
};

static _Thread_local struct tile_config config;
static _Thread_local uint8_t tiles[TILES][ROWS][ROW_BYTES];
static volatile int is_granted;

static _Noreturn void refuse(const char *why) {
  fprintf(stderr, "amx: %s\n", why);
  _exit(70);
}

/* What compiled code calls in place of syscall: here the state of tiles is granted to who asks for it. */
long lossledger_syscall(long number, long a, long b) {
  if (number != SYS_arch_prctl || a != ARCH_REQ_XCOMP_PERM || b != XFEATURE_XTILEDATA) refuse("another system call than for tiles");
  is_granted = 1;
  return 0;
}

/* ---- operands ---- */

struct instruction {
  const uint8_t *end;            /* after the last byte */
  int opcode, prefix;            /* prefix: 0 none, 1 66, 2 F3, 3 F2 */
  int is_memory, reg, rm, other; /* numbers of registers */
  uint8_t *address;              /* base and displacement */
  long stride;                   /* index times scale */
};

/* registers of general purpose, by the numbers that instructions give them */
static const int registers[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                  REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

/* An instruction with a VEX prefix of three bytes in the map 0F38; 0 where it is none of AMX. */
static int decode(const greg_t *state, struct instruction *to) {
  const uint8_t *at = (const uint8_t *)state[REG_RIP];
  if (at[0] != 0xc4 || (at[1] & 0x1f) != 2 || (at[2] & 0x84) != 0) return 0;
  const int x = !(at[1] & 0x40) << 3, b = !(at[1] & 0x20) << 3, opcode = at[3], modrm = at[4];
  if (opcode != 0x49 && opcode != 0x4b && opcode != 0x5c) return 0;
  const int mode = modrm >> 6;
  *to = (struct instruction){.opcode = opcode, .prefix = at[2] & 3, .other = ~at[2] >> 3 & 15, .reg = modrm >> 3 & 7, .rm = modrm & 7};
  to->is_memory = mode != 3;
  at += 5;
  if (to->is_memory) {
    int base = to->rm | b, has_base = 1;
    if (to->rm == 4) {
      const int sib = *at++, index = (sib >> 3 & 7) | x;
      base = (sib & 7) | b;
      has_base = !(mode == 0 && (sib & 7) == 5);
      if (index != 4) to->stride = (long)state[registers[index]] << (sib >> 6);
    } else if (mode == 0 && to->rm == 5) {
      has_base = 0;
    }
    const int bytes = mode == 1 ? 1 : mode == 2 || !has_base ? 4 : 0;
    int32_t displacement = 0;
    if (bytes == 1) displacement = (int8_t)at[0];
    if (bytes == 4) memcpy(&displacement, at, 4);
    at += bytes;
    const int follows = !has_base && to->rm == 5;
    to->address = (uint8_t *)((has_base ? state[registers[base]] : follows ? (long)at : 0) + displacement);
  }
  to->end = at;
  return 1;
}

/* ---- what the instructions do ---- */

static void load_config(const uint8_t *from) {
  struct tile_config next;
  memcpy(&next, from, sizeof next);
  if (next.palette != 1) refuse("LDTILECFG of another palette than 1");
  static const uint8_t zeros[sizeof next];
  if (next.start_row != 0 || memcmp(next.reserved, zeros, sizeof next.reserved) || memcmp(next.unused, zeros, sizeof next.unused) ||
      memcmp(next.unused_rows, zeros, sizeof next.unused_rows))
    refuse("LDTILECFG with reserved bytes that are not zero");
  for (int t = 0; t < TILES; t++) {
    if (next.rows[t] > ROWS || next.row_bytes[t] > ROW_BYTES) refuse("LDTILECFG of tiles that are too large");
    if (!next.rows[t] != !next.row_bytes[t]) refuse("LDTILECFG of tiles with rows of no bytes");
  }
  config = next;
  memset(tiles, 0, sizeof tiles);
}

static void require_tile(int t) {
  if (config.palette == 0) refuse("a tile is used where none are set up");
  if (config.rows[t] == 0) refuse("a tile is used that has no rows");
}

static float flushed(float a) { return fabsf(a) < 0x1p-126f ? copysignf(0, a) : a; }

static float bfloat16(int t, int row, int place) {
  const uint32_t bits = (uint32_t)tiles[t][row][2 * place] << 16 | (uint32_t)tiles[t][row][2 * place + 1] << 24;
  float a;
  memcpy(&a, &bits, 4);
  return flushed(a);
}

/* TDPBF16PS: fused multiply-adds of even and of odd places apart, rounded to even, subnormal numbers as zeros */
static void product(int sums, int left, int right) {
  require_tile(sums), require_tile(left), require_tile(right);
  if (sums == left || sums == right || left == right) refuse("TDPBF16PS of a tile with itself");
  if (config.row_bytes[left] != 4 * config.rows[right] || config.rows[left] != config.rows[sums] || config.row_bytes[right] != config.row_bytes[sums])
    refuse("TDPBF16PS of tiles that do not match");
  for (int m = 0; m < config.rows[sums]; m++) {
    for (int n = 0; n < config.row_bytes[sums] / 4; n++) {
      float apart[2] = {0, 0};
      for (int k = 0; k < config.rows[right]; k++)
        for (int odd = 0; odd < 2; odd++)
          apart[odd] = flushed(fmaf(bfloat16(left, m, 2 * k + odd), bfloat16(right, k, 2 * n + odd), apart[odd]));
      float sum;
      memcpy(&sum, &tiles[sums][m][4 * n], 4);
      sum = flushed(flushed(sum) + flushed(apart[0] + apart[1]));
      memcpy(&tiles[sums][m][4 * n], &sum, 4);
    }
    memset(&tiles[sums][m][config.row_bytes[sums]], 0, ROW_BYTES - config.row_bytes[sums]);
  }
  for (int m = config.rows[sums]; m < ROWS; m++) memset(tiles[sums][m], 0, ROW_BYTES);
}

static void load(int t, const uint8_t *from, long stride) {
  require_tile(t);
  memset(tiles[t], 0, sizeof tiles[t]);
  for (int row = 0; row < config.rows[t]; row++) memcpy(tiles[t][row], from + row * stride, config.row_bytes[t]);
}

static void store(int t, uint8_t *to, long stride) {
  require_tile(t);
  for (int row = 0; row < config.rows[t]; row++) memcpy(to + row * stride, tiles[t][row], config.row_bytes[t]);
}

static int carry_out(const struct instruction *i) {
  enum { NONE, P66, F3, F2 };
  if (i->opcode == 0x5c && i->prefix == F3 && !i->is_memory) return product(i->reg, i->rm, i->other), 1;
  if (i->opcode == 0x4b && i->is_memory && (i->prefix == F2 || i->prefix == P66)) return load(i->reg, i->address, i->stride), 1;
  if (i->opcode == 0x4b && i->is_memory && i->prefix == F3) return store(i->reg, i->address, i->stride), 1;
  if (i->opcode == 0x49 && i->prefix == F2 && !i->is_memory) return require_tile(i->reg), memset(tiles[i->reg], 0, sizeof tiles[i->reg]), 1;
  if (i->opcode == 0x49 && i->prefix == NONE && i->is_memory) return load_config(i->address), 1;
  if (i->opcode == 0x49 && i->prefix == NONE) return memset(&config, 0, sizeof config), memset(tiles, 0, sizeof tiles), 1;
  return 0;
}

static void on_illegal_instruction(int number, siginfo_t *info, void *context) {
  (void)info;
  greg_t *state = ((ucontext_t *)context)->uc_mcontext.gregs;
  struct instruction instruction;
  if (!decode(state, &instruction)) {
    signal(number, SIG_DFL);
    return;
  }
  if (!is_granted) refuse("tiles are used before the system was asked for them");
  if (!carry_out(&instruction)) refuse("an instruction of AMX that is not known here");
  state[REG_RIP] = (greg_t)instruction.end;
}

__attribute__((constructor)) static void begin(void) {
  struct sigaction action = {.sa_flags = SA_SIGINFO | SA_NODEFER};
  action.sa_sigaction = on_illegal_instruction;
  sigaction(SIGILL, &action, NULL);
}
