import { NativeEngine, type NativeOptions } from '../../src/engines/native/index.js';
import type { MatrixUnit } from '../../src/engines/native/toolchain/target.js';
import { compilerForAmx } from './amx/compiler.js';

type SplitOptions = NativeOptions & { readonly matrixUnit: MatrixUnit };

/**
 * What makes engines whose dense layers use a matrix unit: in plain C, and by AMX, whose instructions are carried out by the processor or,
 * where it knows none, by `amx/instructions.c`.
 */
const ways = (): SplitOptions[] => [{ matrixUnit: 'emulated' }, { matrixUnit: 'amx', ...compilerForAmx() }];

/** Those ways that work here, for a file of tests; none without a compiler. */
export async function splitWays(): Promise<SplitOptions[]> {
  const all = ways();
  const able = await Promise.all(all.map((options) => new NativeEngine(options).available()));
  return all.filter((_, k) => able[k]!.ok);
}
