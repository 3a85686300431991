import { availableParallelism } from 'node:os';
import type { Availability, Engine } from './types.js';
import { EngineError, isLossledgerError, UsageError } from '../errors.js';
import type { Graph } from '../graph/types.js';

/** Every engine by name, loaded only when asked for. */
const loaders = {
  reference: async () => (await import('./reference/index.js')).referenceEngine,
  onnxruntime: async () => (await import('./onnxruntime/index.js')).onnxruntimeEngine('cpu'),
  native: async () => new (await import('./native/index.js')).NativeEngine(),
  'onnxruntime-webgpu': async () => (await import('./onnxruntime/index.js')).onnxruntimeEngine('webgpu'),
  'onnxruntime-cuda': async () => (await import('./onnxruntime/index.js')).onnxruntimeEngine('cuda'),
} as const satisfies Readonly<Record<string, () => Promise<Engine>>>;

export type EngineName = keyof typeof loaders;

export const engineNames = Object.keys(loaders) as readonly EngineName[];

/** What `auto` tries, best first. */
const preference = ['native', 'onnxruntime', 'reference'] as const;

export async function engineNamed(name: string): Promise<Engine> {
  if (Object.hasOwn(loaders, name)) return loaders[name as EngineName]();
  throw new UsageError({
    given: `engine ${JSON.stringify(name)}`,
    expected: `one of auto, ${engineNames.join(', ')}`,
    remedy: '`lca engines` says which are available here',
  });
}

/** In which precision an engine computes, and its allocations are stored. */
export function precisionOf(engine: string): 'float32' | 'float64' {
  return engine === 'reference' ? 'float64' : 'float32';
}

export interface EngineStatus {
  readonly name: string;
  readonly availability: Availability;
}

/** What each engine says of itself on this machine. */
export async function engineStatuses(): Promise<EngineStatus[]> {
  const statuses: EngineStatus[] = [];
  for (const name of engineNames) {
    const engine = await engineNamed(name);
    statuses.push({ name, availability: await engine.available() });
  }
  return statuses;
}

export interface ChosenEngine {
  readonly engine: Engine;
  /** Better engines that `auto` passed over, each with its reason. */
  readonly passedOver: readonly string[];
}

/**
 * The engine to use: the one named, or for `auto` the first that is available here and compiles the graph. An engine that is
 * named is never replaced: what it cannot do, it refuses.
 */
export async function chooseEngine(name: string, graph: () => Graph): Promise<ChosenEngine> {
  if (name !== 'auto') return { engine: await requireAvailable(await engineNamed(name)), passedOver: [] };
  const passedOver: string[] = [];
  for (const candidate of preference) {
    const engine = await engineNamed(candidate);
    const obstacle = await obstacleTo(engine, graph);
    if (obstacle === null) return { engine, passedOver };
    passedOver.push(`${candidate}: ${obstacle}`);
  }
  throw new EngineError({
    given: `no engine for this network (${passedOver.join('; ')})`,
    expected: 'an engine that is available and knows all operators',
    remedy: 'see `lca engines`, or rewrite the model with operators of docs/OPERATORS.md',
  });
}

/** Why an engine cannot run a graph here; null where it can. */
async function obstacleTo(engine: Engine, graph: () => Graph): Promise<string | null> {
  const availability = await engine.available();
  if (!availability.ok) return availability.reason;
  try {
    await (await engine.compile(graph())).dispose();
    return null;
  } catch (error) {
    if (isLossledgerError(error) && error.tag === 'engine') return error.problem.given;
    throw error;
  }
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
