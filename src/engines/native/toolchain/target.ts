/** What multiplies whole matrices of bfloat16: Intel's AMX, or the same in plain C, for tests. */
export type MatrixUnit = 'amx' | 'emulated';

/** What the compiler's processor can do, as far as the generated code depends on it. */
export interface Target {
  readonly name: 'avx512' | 'avx2' | 'neon' | 'portable';
  /** float32 numbers of one vector: how many examples are worked on at once. */
  readonly lanes: 4 | 8 | 16;
  /** Vector registers, which bound the tiles that kernels keep in them. */
  readonly registers: 16 | 32;
  /** What kernels may use for products beside vectors; null: nothing. */
  readonly matrixUnit: MatrixUnit | null;
}

const targets: readonly (Omit<Target, 'matrixUnit'> & { readonly macros: readonly string[] })[] = [
  { name: 'avx512', lanes: 16, registers: 32, macros: ['__AVX512F__', '__AVX512DQ__', '__AVX512VL__'] },
  { name: 'avx2', lanes: 8, registers: 16, macros: ['__AVX2__', '__FMA__'] },
  { name: 'neon', lanes: 4, registers: 32, macros: ['__ARM_NEON', '__aarch64__'] },
  { name: 'portable', lanes: 4, registers: 16, macros: [] },
];

/** The widest target whose predefined macros are all among those that the compiler sets for this processor. */
export function targetOf(macros: ReadonlySet<string>): Target {
  const { name, lanes, registers } = targets.find((entry) =>
    entry.macros.every((macro) => macros.has(macro)),
  )!;
  return { name, lanes, registers, matrixUnit: null };
}

/** The target of a given name, for tests that generate code for other processors. */
export function targetNamed(wanted: Target['name']): Target {
  const { name, lanes, registers } = targets.find((entry) => entry.name === wanted)!;
  return { name, lanes, registers, matrixUnit: null };
}

/** Macros that a compiler sets for a processor with AMX whose system is Linux, which has to be asked for it. */
const amxMacros = ['__AMX_TILE__', '__AMX_BF16__', '__AVX512F__', '__linux__'];

/** Whether code for AMX can be compiled and run here, as far as the compiler knows. */
export function hasMatrixUnit(macros: ReadonlySet<string>): boolean {
  return amxMacros.every((macro) => macros.has(macro));
}
