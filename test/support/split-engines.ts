import { NativeEngine } from '../../src/engines/native/index.js';

/** Engines whose dense layers use a matrix unit: one in plain C, and the processor's where it has one; none without a compiler. */
export async function splitEngines(): Promise<NativeEngine[]> {
  const engines = (['emulated', 'amx'] as const).map((matrixUnit) => new NativeEngine({ matrixUnit }));
  const able = await Promise.all(engines.map((engine) => engine.available()));
  return engines.filter((_, k) => able[k]!.ok);
}
