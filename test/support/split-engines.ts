import { NativeEngine, type NativeOptions } from '../../src/engines/native/index.js';
import type { MatrixUnit } from '../../src/engines/native/toolchain/target.js';
import { compilerForAmx } from './amx/compiler.js';

type SplitOptions = NativeOptions & { readonly matrixUnit: MatrixUnit };

/**
 * What makes engines whose dense layers use a matrix unit: in plain C, and by AMX, whose instructions are carried out by the processor or,
 * where it knows none, by `amx/instructions.c`.
 */
const ways: readonly SplitOptions[] = [
  { matrixUnit: 'emulated' },
  { matrixUnit: 'amx', ...compilerForAmx() },
];

/** Those ways that work here; none without a compiler. */
export async function splitWays(): Promise<SplitOptions[]> {
  const able = await Promise.all(ways.map((options) => new NativeEngine(options).available()));
  return ways.filter((_, k) => able[k]!.ok);
}

/** Their engines. */
export const splitEngines = async (): Promise<NativeEngine[]> =>
  (await splitWays()).map((options) => new NativeEngine(options));
