import { sha256 } from '../../data/files.js';
import type { Answer } from '../../engines/process/client.js';
import { ObjectivePool } from '../../engines/process/pool.js';
import type { Statement } from '../../engines/process/protocol.js';
import { differenceOf, evaluateProcess, layoutOfStatement } from '../../engines/process/objectives.js';
import { DataError, UsageError } from '../../errors.js';
import { checkConfig } from '../../experiment/config/file.js';
import type { RunConfig } from '../../experiment/config/schema.js';
import { type CopyControl, copyTrajectory, inspectTrajectory, recordingOptions, type Recorded, type RecordedExperiment } from '../../experiment/recorded.js'; // prettier-ignore
import { version } from '../../experiment/version.js';
import { withWholePaths } from '../../experiment/paths.js';
import type { Manifest, ManifestContent } from '../../format/manifest.js';
import type { Reading } from '../../formats/reading.js';
import { GraphBuilder } from '../../graph/builder.js';
import type { ParameterLayout } from '../../ledger/types.js';
import { createRunFolder } from '../../store/open.js';
import type { RunWriter } from '../../store/writer.js';
import { openTrajectory } from '../../experiment/recorded.js';
import { beside, RowGate, type SegmentRange, type WorkControl } from '../../experiment/control.js';
import { requireSameFrozen } from './frozen.js';
import { type MeasuredStore, measureSegments, type MeasuringParts, unmeasuredOf } from '../measure.js';

/** A recorded trajectory and the program that evaluates it. */
export interface ProcessExperiment {
  readonly config: RunConfig;
  readonly program: ObjectivePool;
  readonly layout: ParameterLayout;
  readonly recorded: Recorded;
  readonly readings: readonly Reading[];
}

/** What may not be said with an objective process, which decides it by itself: its value unless said. */
const undecided = { parts: null, sample: null, certify: null, components: false, basis: null, measureWeightDecay: false } as const; // prettier-ignore

/**
 * Starts the program, in one process or several, reads its statement, looks at the trajectory, and tries one θ twice. Throws EngineError,
 * DataError, UsageError.
 */
export async function openProcess(given: RunConfig, processes?: number): Promise<ProcessExperiment> {
  const config = withWholePaths(given);
  const stray = (Object.keys(undecided) as (keyof typeof undecided)[]).find(
    (key) => config[key] !== undecided[key],
  );
  if (stray !== undefined) {
    throw new UsageError({
      given: `${stray} with an objective process`,
      expected: 'objectives and parts that the program states, and nothing else of the kind',
      remedy: `leave out ${stray}`,
    });
  }
  const program = await ObjectivePool.start(config.process!, { timeout: config.processTimeout, processes });
  try {
    const layout = layoutOfStatement(program.statement);
    const options = { ...recordingOptions(config), components: false };
    const found = await inspectTrajectory(config.trajectory!, modelOf(layout), options);
    await requireSameFrozen(config.trajectory!, program.statement, options);
    const readings = [
      ...found.readings,
      ...notesOf(program.statement),
      await repeatability(config, program, layout),
    ];
    return { config, program, layout, recorded: found.recorded, readings };
  } catch (error) {
    program.close();
    throw error;
  }
}

/** The tensors of θ as those of a model without nodes: all of them are recorded, or the recording is refused. */
function modelOf({ tensors }: ParameterLayout) {
  const builder = new GraphBuilder('objective process');
  for (const { name, shape, layer, neuronAxis } of tensors) {
    builder.parameter(name, shape, { layer, neuronAxis, initializer: { kind: 'zeros' } });
  }
  const weights = {
    declared: 'the objective process',
    tensors: tensors.map(({ name, shape }) => {
      return { name, shape, verdict: 'trained' as const, anonymous: false, data: () => null };
    }),
  };
  return { weights, graph: builder.build([]) };
}

/** What the program warns of. */
function notesOf({ warnings = [] }: Statement): Reading[] {
  const about = 'objective process';
  return warnings.map((decision) => ({ about, decision, evidence: 'the program says so', warning: true }));
}

/** What the reading is about that says whether a program gives the same for the same θ; a warning where it does not. */
export const repeatabilityReading = 'repeatability of the objective process';

/** Evaluates the first θ twice, and in each further process once. */
async function repeatability(
  config: RunConfig,
  program: ObjectivePool,
  layout: ParameterLayout,
): Promise<Reading> {
  const { trajectory } = await openTrajectory(config.trajectory!, modelOf(layout), recordingOptions(config));
  const theta = Float64Array.from(await trajectory.row(0));
  await trajectory.close();
  const [first, ...others] = program.members;
  const answer = await first!.evaluate(theta, 'gradient');
  const again = await first!.evaluate(theta, 'gradient');
  const elsewhere = await Promise.all(others.map((other) => other.evaluate(theta, 'gradient')));
  const difference = largestDifference(answer, [again, ...elsewhere]);
  const { deterministic } = program.statement;
  const about = repeatabilityReading;
  const evidence = `the program says that it is ${deterministic ? '' : 'not '}deterministic`;
  if (difference.loss === 0 && difference.gradient === 0) {
    return { about, decision: 'two evaluations of the first θ agree to the bit', evidence };
  }
  const decision = `two evaluations of the first θ differ: losses by ${difference.loss.toPrecision(3)}, gradients by ${difference.gradient.toPrecision(3)} of the largest entry`;
  return { about, decision, evidence, warning: true };
}

function largestDifference(answer: Answer, others: readonly Answer[]): { loss: number; gradient: number } {
  const differences = others.map((other) => differenceOf(answer, other));
  return {
    loss: Math.max(...differences.map(({ loss }) => loss)),
    gradient: Math.max(...differences.map(({ gradient }) => gradient)),
  };
}

/** Makes the run folder of a trajectory that an objective process is to measure. */
export function createProcessRun(folder: string, experiment: ProcessExperiment): Promise<RunWriter> {
  return createRunFolder(folder, manifestOf(experiment), new Map());
}

function manifestOf({ config, program, layout, recorded, readings }: ProcessExperiment): ManifestContent {
  const { statement } = program;
  return {
    createdBy: `lossledger ${version}`,
    config: JSON.parse(JSON.stringify(config)) as Manifest['config'],
    definition: {
      loss: statement.loss,
      unit: statement.unit,
      reduction: 'tokenMean',
      model: statement.name,
      dataset: 'of the objective process',
      splitHash: statementHash(program),
      files: [],
      counts: Object.fromEntries(statement.objectives.map(({ name, examples }) => [name, examples])),
      chunk: 1,
      lanes: 1,
      batchNorm: 'running',
      dropout: 'off',
      precision: statement.precision,
    },
    objectives: statement.objectives.map(({ name, examples, parts }) => ({
      name,
      parts: parts.length > 0 ? parts : [{ name: 'all', by: 'all', examples }],
    })),
    parameters: layout.tensors.map((tensor) => ({ ...tensor, shape: [...tensor.shape] })),
    layers: layout.layers.map((name, index) => ({ name, neurons: layout.neurons[index]! })),
    trajectory: {
      iterations: recorded.iterations,
      iteration: recorded.iteration === null ? null : [...recorded.iteration],
      files: [...recorded.files],
      batchSize: null,
    },
    readings: readings.map((reading) => ({ ...reading })),
    quadrature: {
      rule: config.rule,
      tolerance: config.tolerance,
      subintervals: config.subintervals,
      maxSubintervals: config.maxSubintervals,
    },
    keep: config.keep,
    keepParts: config.keepParts,
    engine: { name: 'process', version: 'protocol LLP1' },
    seed: config.seed,
  };
}

/** What defines the objectives, as far as the program states it. */
function statementHash({ statement }: ObjectivePool): string {
  return sha256(JSON.stringify(statement));
}

/** Whether a run is measured by a program of the user's. */
export function isProcessRun({ engine }: Manifest): boolean {
  return engine.name === 'process';
}

/** Starts the program of a run that exists. Throws EngineError, and DataError where it no longer states what the run was made with. */
export async function reopenProgram(
  config: RunConfig,
  manifest: Manifest,
  processes?: number,
): Promise<Pick<ProcessExperiment, 'program' | 'layout'>> {
  const program = await ObjectivePool.start(config.process!, { timeout: config.processTimeout, processes });
  try {
    requireSameStatement({ program }, manifest);
    return { program, layout: layoutOfStatement(program.statement) };
  } catch (error) {
    program.close();
    throw error;
  }
}

/** Throws DataError where the program no longer states what a run was made with. */
export function requireSameStatement(
  { program }: Pick<ProcessExperiment, 'program'>,
  { definition }: Manifest,
): void {
  const found = statementHash(program);
  if (found === definition.splitHash) return;
  throw new DataError({
    given: `a statement of the objective process with SHA-256 ${found}`,
    expected: `${definition.splitHash}, which the run was made with`,
    remedy: 'go on with the program that the run was made with, or make a new run; numbers of both kinds must not be mixed', // prettier-ignore
  });
}

/** How a caller watches and stops the two parts of the work, and of which segments it is done; default all. */
export interface ProcessControl {
  readonly copying: WorkControl;
  readonly measuring: WorkControl;
  readonly segments?: SegmentRange | undefined;
}

/** Copies what is missing of the trajectory, and measures what is not measured yet. */
export async function measureProcess(
  experiment: ProcessExperiment,
  run: RunWriter,
  { copying, measuring, segments }: ProcessControl,
): Promise<void> {
  const { config, program, layout, recorded } = experiment;
  const { weights, graph } = modelOf(layout);
  const transform = { dtype: 'float32', divisor: 1, mean: [], std: [] } as const;
  const model = { name: 'objective process', inputShape: [], outputs: 1, build: () => graph };
  const reading: RecordedExperiment = {
    config,
    model,
    network: { weights: () => weights },
    dataset: { transform },
  };
  const gate = config.follow && !run.status.trained ? new RowGate() : undefined;
  const measure = async (copied: Promise<void>): Promise<void> => {
    if (gate === undefined) await copied;
    else copied.catch((error: unknown) => { gate.fail(error); }); // prettier-ignore
    const parts = { ...partsOf(program, layout, config), gate };
    await measureSegments(run, unmeasuredOf(run, segments), measuring, parts);
  };
  const copy = (signal: AbortSignal) =>
    copyRows(reading, recorded, run, { ...copying, signal, stored: (row) => gate?.stored(row) });
  await beside(copy, measure, copying.signal);
}

/**
 * Measures what a task's part lacks, its rows of θ stored already, with processes of the run's program that are started for it. Throws EngineError, and
 * DataError where the program no longer states what the run was made with.
 */
export async function measureTaskByProcess(
  part: MeasuredStore,
  control: WorkControl & { readonly processes?: number | undefined },
): Promise<void> {
  const config = checkConfig(part.manifest.config, 'the manifest');
  const { program, layout } = await reopenProgram(config, part.manifest, control.processes);
  try {
    await measureSegments(part, unmeasuredOf(part), control, partsOf(program, layout, config));
  } finally {
    program.close();
  }
}

/** What segments are measured with. */
function partsOf(program: ObjectivePool, layout: ParameterLayout, config: RunConfig): MeasuringParts {
  const { objectives, precision } = program.statement;
  const keepsGradients = config.keepParts === 'parameters';
  return {
    evaluate: (theta, directions, want) =>
      evaluateProcess(program, layout, keepsGradients, { theta, directions, want }),
    release: () => {},
    hasParts: objectives.some(({ parts }) => parts.length > 0),
    updates: null,
    config,
    layout,
    precision,
  };
}

async function copyRows(
  experiment: RecordedExperiment,
  recorded: Recorded,
  run: RunWriter,
  control: CopyControl,
): Promise<void> {
  if (run.status.trained) return;
  await copyTrajectory(experiment, recorded, run, control);
  await run.finishTraining({ basis: [] });
}
