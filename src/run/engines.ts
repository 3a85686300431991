import { availableParallelism } from 'node:os';
import type { Availability, Engine } from '../engines/types.js';
import { EngineError, UsageError } from '../errors.js';

/** Every engine by name, loaded only when asked for. */
const loaders: Readonly<Record<string, () => Promise<Engine>>> = {
  reference: async () => (await import('../engines/reference/index.js')).referenceEngine,
  onnxruntime: async () => (await import('../engines/onnxruntime/index.js')).onnxruntimeEngine('cpu'),
  'onnxruntime-webgpu': async () =>
    (await import('../engines/onnxruntime/index.js')).onnxruntimeEngine('webgpu'),
  'onnxruntime-cuda': async () => (await import('../engines/onnxruntime/index.js')).onnxruntimeEngine('cuda'),
};

/** What `auto` tries, best first. */
const preference = ['onnxruntime', 'reference'] as const;

export const engineList: readonly string[] = Object.keys(loaders);

export async function engineNamed(name: string): Promise<Engine> {
  const load = loaders[name];
  if (load) return load();
  throw new UsageError({
    given: `engine ${JSON.stringify(name)}`,
    expected: `one of auto, ${engineList.join(', ')}`,
    remedy: '`lca engines` says which are available here',
  });
}

export interface EngineStatus {
  readonly name: string;
  readonly availability: Availability;
}

/** What each engine says of itself on this machine. */
export async function engineStatuses(): Promise<EngineStatus[]> {
  const statuses: EngineStatus[] = [];
  for (const name of engineList) {
    const engine = await engineNamed(name);
    statuses.push({ name, availability: await engine.available() });
  }
  return statuses;
}

/** The engine to use: the one named, or for `auto` the first available one. */
export async function chooseEngine(name: string): Promise<Engine> {
  if (name !== 'auto') return requireAvailable(await engineNamed(name));
  for (const candidate of preference) {
    const engine = await engineNamed(candidate);
    if ((await engine.available()).ok) return engine;
  }
  return engineNamed('reference');
}

async function requireAvailable(engine: Engine): Promise<Engine> {
  const availability = await engine.available();
  if (availability.ok) return engine;
  throw new EngineError(
    {
      given: `engine ${engine.name}, which is not available here: ${availability.reason}`,
      expected: 'an available engine',
      remedy: '`lca engines` lists them; `--engine auto` takes the best one',
    },
    { exitCode: 2 },
  );
}

/** Worker threads to use where the user names no number: one per core that this process may use. */
export function defaultWorkers(engine: string): number {
  const onOneDevice = engine === 'onnxruntime-webgpu' || engine === 'onnxruntime-cuda';
  return onOneDevice ? 1 : availableParallelism();
}
