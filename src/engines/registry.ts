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
  /** Whose place it takes by `--arithmetic split`. Left out: `--engine` names it. */
  readonly splits?: string;
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
    name: 'native-split', auto: false, splits: 'native',
    load: async () => new (await import('./native/index.js')).NativeEngine({ matrixUnit: 'amx' }),
    open: openNative,
  },
  { name: 'onnxruntime', auto: true, load: async () => (await import('./onnxruntime/index.js')).onnxruntimeEngine('cpu') },
  { name: 'reference', auto: true, load: async () => (await import('./reference/index.js')).referenceEngine },
  { name: 'onnxruntime-webgpu', auto: false, load: async () => (await import('./onnxruntime/index.js')).onnxruntimeEngine('webgpu') },
  { name: 'onnxruntime-cuda', auto: false, load: async () => (await import('./onnxruntime/index.js')).onnxruntimeEngine('cuda') },
]; // prettier-ignore

/** Names of the engines that `--engine` takes, best first. */
export const engineNames: readonly string[] = registered
  .filter(({ splits }) => splits === undefined)
  .map(({ name }) => name);

/**
 * How products of float32 and bytes are computed: as such, or split into products of shorter numbers, for processors that have a unit for
 * these (docs/decisions/engines.md); auto is whichever was faster here.
 */
export type Arithmetic = 'auto' | 'float32' | 'split';
export const arithmetics = ['auto', 'float32', 'split'] as const satisfies readonly Arithmetic[];

/** Names of the engines that `--engine auto` tries, in this order. */
export const autoEngineNames: readonly string[] = registered
  .filter(({ auto }) => auto)
  .map(({ name }) => name);

/** Makes a program of this thread's own of what an engine prepared, without loading the engine. Throws EngineError. */
export async function openProgram({ engine, content }: PreparedProgram): Promise<Program> {
  return registered.find(({ name }) => name === engine)!.open!(content);
}

/** Loads the engine of a name, from `among` (default: all). Throws UsageError where there is none. */
export async function engineNamed(
  name: string,
  among: readonly RegisteredEngine[] = registered,
): Promise<Engine> {
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
  /** Other engines that `auto` passed over, each with its reason. */
  readonly passedOver: readonly string[];
}

export interface ChoiceOptions {
  /** Default auto. */
  readonly arithmetic?: Arithmetic | undefined;
  /** Examples a second of each engine, by which `auto` decides; left out: the engine as it is. */
  readonly rates?: (engines: readonly Engine[]) => Promise<readonly number[]>;
  /** Graphs that `auto`'s choice has to know besides those that it compiles, such as the same of other numbers of examples; default none. */
  readonly known?: () => readonly Graph[];
  /** Default: all. */
  readonly among?: readonly RegisteredEngine[];
}

/**
 * The engine to use: the one named, or for `auto` the first that is available here and compiles the graphs; with another arithmetic, what
 * takes its place. What is named is never replaced: what it cannot do, it refuses. Throws UsageError for an unknown name and for an
 * arithmetic that the engine does not have or that the graphs have no use for, EngineError where the named engine is not available or no engine compiles the graphs.
 */
export async function chooseEngine(
  name: string,
  graphs: () => Graph | readonly Graph[],
  { arithmetic = 'auto', rates, known = () => [], among = registered }: ChoiceOptions = {},
): Promise<ChosenEngine> {
  const chosen = await chooseByName(name, { compiled: () => [graphs()].flat(), known }, among);
  const split = among.find(({ splits }) => splits === chosen.engine.name);
  if (arithmetic === 'split') {
    if (split === undefined) throw withoutArithmetic(arithmetic, chosen, among);
    const remedy = '`--arithmetic auto` takes what is here';
    const engine = await requireAvailable(await split.load(), remedy);
    const reason = reasonToKeep(engine, graphs);
    if (reason !== null) throw withoutUse(arithmetic, engine, reason);
    return { ...chosen, engine };
  }
  if (arithmetic === 'float32') {
    if (chosen.engine.facts.precision !== 'float32') throw withoutArithmetic(arithmetic, chosen, among);
    return chosen;
  }
  if (split === undefined || rates === undefined) return chosen;
  const other = await split.load();
  if (!(await other.available()).ok || reasonToKeep(other, graphs) !== null) return chosen;
  return faster(chosen, other, rates);
}

/** Why an engine would compute all graphs just as the one in whose place it is; null where it would not. */
function reasonToKeep(split: Engine, graphs: () => Graph | readonly Graph[]): string | null {
  const reasons = [graphs()].flat().map((graph) => split.sameAsPlain?.(graph) ?? null);
  return reasons.includes(null) ? null : (reasons[0] ?? null);
}

const withoutUse = (arithmetic: Arithmetic, { name }: Engine, reason: string): UsageError =>
  new UsageError({
    given: `arithmetic ${arithmetic}, which needs ${name}: ${reason}`,
    expected: 'a network whose first layer is dense, of unsigned bytes that are not standardised',
    remedy: 'leave it to the engine (--arithmetic auto)',
  });

/** What chooses an engine that was chosen once: it is not to be timed again. */
export function choiceOf(name: string): { engine: string; arithmetic: Arithmetic } {
  const splits = registered.find((entry) => entry.name === name)?.splits;
  if (splits !== undefined) return { engine: splits, arithmetic: 'split' };
  return { engine: name, arithmetic: registered.some((entry) => entry.splits === name) ? 'float32' : 'auto' };
}

/** What an engine has to be able to do. */
interface Wanted {
  readonly compiled: () => readonly Graph[];
  readonly known: () => readonly Graph[];
}

async function chooseByName(
  name: string,
  wanted: Wanted,
  among: readonly RegisteredEngine[],
): Promise<ChosenEngine> {
  if (name !== 'auto') {
    return { engine: await requireAvailable(await engineNamed(name, among)), passedOver: [] };
  }
  const passedOver: string[] = [];
  for (const candidate of among.filter(({ auto }) => auto)) {
    const engine = await candidate.load();
    const obstacle = await obstacleTo(engine, wanted);
    if (obstacle === null) return { engine, passedOver };
    passedOver.push(`${candidate.name}: ${obstacle}`);
  }
  throw new EngineError({
    given: `no engine for this network (${passedOver.join('; ')})`,
    expected: 'an engine that is available and knows all operators',
    remedy: 'see `lca engines`, or rewrite the model with operators of docs/OPERATORS.md',
  });
}

/** The faster of an engine and what may take its place. */
async function faster(
  chosen: ChosenEngine,
  split: Engine,
  rates: NonNullable<ChoiceOptions['rates']>,
): Promise<ChosenEngine> {
  const [own, other] = await rates([chosen.engine, split]);
  const [engine, slower] = other! > own! ? [split, chosen.engine] : [chosen.engine, split];
  const [low, high] = [Math.min(own!, other!), Math.max(own!, other!)];
  const reason = `${slower.name}: ${engine.name} was ${(high / low).toFixed(2)} times as fast here`;
  return { engine, passedOver: [...chosen.passedOver, reason] };
}

function withoutArithmetic(
  arithmetic: Arithmetic,
  { engine, passedOver }: ChosenEngine,
  among: readonly RegisteredEngine[],
): UsageError {
  const why = passedOver.length === 0 ? '' : ` (${passedOver.join('; ')})`;
  const able = arithmetic === 'split' ? among.flatMap(({ splits }) => splits ?? []) : among.filter(({ splits }) => splits === undefined).map(({ name }) => name).filter((name) => name !== engine.name); // prettier-ignore
  return new UsageError({
    given: `arithmetic ${arithmetic} with engine ${engine.name}${why}, which computes in ${engine.facts.precision}`,
    expected: `an engine that has it: ${able.join(', ')}`,
    remedy: 'name such an engine with --engine, or leave the arithmetic to the engine (--arithmetic auto)',
  });
}

/** Why an engine cannot do here what is wanted; null where it can. */
async function obstacleTo(engine: Engine, { compiled, known }: Wanted): Promise<string | null> {
  const availability = await engine.available();
  if (!availability.ok) return availability.reason;
  try {
    for (const graph of known()) engine.plan(graph);
    for (const graph of compiled()) await (await engine.compile(graph)).dispose();
    return null;
  } catch (error) {
    if (isLossledgerError(error) && error.tag === 'engine') return error.problem.given;
    throw error;
  }
}

async function requireAvailable(
  engine: Engine,
  remedy = '`lca engines` lists them; `--engine auto` takes the best one',
): Promise<Engine> {
  const availability = await engine.available();
  if (availability.ok) return engine;
  throw new EngineError(
    {
      given: `engine ${engine.name}, which is not available here: ${availability.reason}`,
      expected: 'an available engine',
      remedy,
    },
    { exitCode: 2 },
  );
}

/** Worker threads to use where the user names no number: as many as fill the cores that this process may use, or the device. */
export function defaultWorkers({ facts }: Engine): number {
  return facts.fills === 'device' ? 1 : availableParallelism();
}
