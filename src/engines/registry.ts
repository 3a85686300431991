import { availableParallelism } from 'node:os';
import { EngineError, isLossledgerError, UsageError } from '../errors.js';
import type { Graph } from '../graph/types.js';
import type { PreparedNetwork } from './native/program.js';
import type { Availability, Engine, PreparedProgram, Program } from './types.js';

/** An engine as the registry lists it: loaded only when asked for, since what it needs may be missing or large. */
export interface RegisteredEngine {
  readonly name: string;
  /** True where `--engine auto` may choose it. */
  readonly auto: boolean;
  readonly load: () => Promise<Engine>;
  /** Makes a program of what the engine prepared; left out: it prepares nothing. */
  readonly open?: (content: unknown) => Promise<Program>;
}

/** Both native engines prepare the same. */
const openNative = async (content: unknown): Promise<Program> =>
  (await import('./native/program.js')).openPrepared(content as PreparedNetwork);

/** Every engine, best first. */
const registered: readonly RegisteredEngine[] = [
  {
    name: 'native', auto: true,
    load: async () => new (await import('./native/index.js')).NativeEngine(),
    open: openNative,
  },
  {
    name: 'native-split', auto: false,
    load: async () => new (await import('./native/index.js')).NativeEngine({ matrixUnit: 'amx' }),
    open: openNative,
  },
  { name: 'onnxruntime', auto: true, load: async () => (await import('./onnxruntime/index.js')).onnxruntimeEngine('cpu') },
  { name: 'reference', auto: true, load: async () => (await import('./reference/index.js')).referenceEngine },
  { name: 'onnxruntime-webgpu', auto: false, load: async () => (await import('./onnxruntime/index.js')).onnxruntimeEngine('webgpu') },
  { name: 'onnxruntime-cuda', auto: false, load: async () => (await import('./onnxruntime/index.js')).onnxruntimeEngine('cuda') },
]; // prettier-ignore

/** Names of all engines, best first. */
export const engineNames: readonly string[] = registered.map(({ name }) => name);

/** Names of the engines that `--engine auto` tries, in this order. */
export const autoEngineNames: readonly string[] = registered
  .filter(({ auto }) => auto)
  .map(({ name }) => name);

/** Makes a program of this thread's own of what an engine prepared, without loading the engine. Throws EngineError. */
export async function openProgram({ engine, content }: PreparedProgram): Promise<Program> {
  return registered.find(({ name }) => name === engine)!.open!(content);
}

/** Loads the engine of a name, from `among` (default: all). Throws UsageError where there is none. */
export async function engineNamed(name: string, among = registered): Promise<Engine> {
  const entry = among.find((candidate) => candidate.name === name);
  if (entry !== undefined) return entry.load();
  throw new UsageError({
    given: `engine ${JSON.stringify(name)}`,
    expected: `one of auto, ${among.map((candidate) => candidate.name).join(', ')}`,
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
  for (const { name, load } of registered) {
    statuses.push({ name, availability: await (await load()).available() });
  }
  return statuses;
}

export interface ChosenEngine {
  readonly engine: Engine;
  /** Better engines that `auto` passed over, each with its reason. */
  readonly passedOver: readonly string[];
}

/**
 * The engine to use, from `among` (default: all): the one named, or for `auto` the first that is available here and compiles the
 * graphs. An engine that is named is never replaced: what it cannot do, it refuses. Throws UsageError for an unknown name, EngineError
 * where the named engine is not available or no engine compiles the graphs.
 */
export async function chooseEngine(
  name: string,
  graphs: () => Graph | readonly Graph[],
  among = registered,
): Promise<ChosenEngine> {
  if (name !== 'auto') {
    return { engine: await requireAvailable(await engineNamed(name, among)), passedOver: [] };
  }
  const passedOver: string[] = [];
  for (const candidate of among.filter(({ auto }) => auto)) {
    const engine = await candidate.load();
    const obstacle = await obstacleTo(engine, graphs);
    if (obstacle === null) return { engine, passedOver };
    passedOver.push(`${candidate.name}: ${obstacle}`);
  }
  throw new EngineError({
    given: `no engine for this network (${passedOver.join('; ')})`,
    expected: 'an engine that is available and knows all operators',
    remedy: 'see `lca engines`, or rewrite the model with operators of docs/OPERATORS.md',
  });
}

/** Why an engine cannot run all graphs here; null where it can. */
async function obstacleTo(engine: Engine, graphs: () => Graph | readonly Graph[]): Promise<string | null> {
  const availability = await engine.available();
  if (!availability.ok) return availability.reason;
  try {
    for (const graph of [graphs()].flat()) await (await engine.compile(graph)).dispose();
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

/** Worker threads to use where the user names no number: as many as fill the cores that this process may use, or the device. */
export function defaultWorkers({ facts }: Engine): number {
  return facts.fills === 'device' ? 1 : availableParallelism();
}
