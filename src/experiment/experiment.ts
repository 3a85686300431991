import { fitLabels } from '../data/labels.js';
import { prepareDataset, readDataset, type LoadOptions } from '../data/load.js';
import { narrowed } from '../data/shared.js';
import type { Dataset } from '../data/types.js';
import type { Engine } from '../engines/types.js';
import { UsageError } from '../errors.js';
import type { Reading } from '../formats/reading.js';
import { byRunningStatistics, type StatisticsKind } from '../graph/statistics.js';
import type { LeftOut } from '../analysis/coverage.js';
import type { Graph, Parameter } from '../graph/types.js';
import { headsOf } from '../ledger/entities/heads.js';
import { leftOutOf } from './left-out.js';
import { layoutOfGraph } from '../ledger/layout.js';
import type { OwnGrouping, ParameterLayout } from '../ledger/types.js';
import type { Model } from '../models/types.js';
import { once } from '../num/once.js';
import type { RunFolder } from '../store/folder.js';
import { refuseProcess } from './config/effect.js';
import type { RunConfig } from './config/schema.js';
import { chooseEngine } from '../engines/registry.js';
import { furtherGraphs, gradientGraph, neededGraphs } from './graphs.js';
import { requirePixels, withInputShape } from './loss/inputs.js';
import { requireLookups } from './loss/lookups.js';
import { trainingRates } from './cost/engines.js';
import { lossReadings } from './loss/doubts.js';
import { divisorOf, labelUse, masksOf, requireFit } from './loss/loss.js';
import { chunkMixing, chunkReadings, mixesExamples } from './mixing.js';
import { dataReadings, outputUse, type OutputUse } from './readings.js';
import { circularReadings } from './network/circular.js';
import { networkFile, storedNetworkFile } from './network/network.js';
import type { Network } from './network/types.js';
import { requireDividable, weighOwnLoss } from './loss/own-loss.js';
import type { ObjectivePlan } from '../objective/plan.js';
import { type Basis, openBasis } from './objectives/basis.js';
import { checkControls, requireFollowable } from './requirements.js';
import { chunkOf, fittingChunk } from './objectives/chunk.js';
import { divideObjectives, type MeasuredObjective } from './objectives/divide.js';
import { measuredNames, withMeasuredSets } from './objectives/measured.js';
import { componentsOf, measuredPenalty } from './optimizer.js';
import { type StatedPaths, withWholePaths } from './paths.js';
import { statisticsReadings, trackedModel } from './objectives/statistics.js';
import { startingTheta, startReading } from './start.js';
import {
  inspectTrajectory,
  openModel,
  recordedOf,
  recordingOptions,
  type Recorded,
  type RecordedModel,
} from './recorded.js';

/** A configuration with whole paths, and with what follows from data and trajectory filled in. */
export interface SettledConfig extends RunConfig {
  /** Entries `NAME` or `NAME=PLACE`. */
  readonly measure: string[];
}

/** A configuration with all that it names brought together: data in memory, network, engine. */
export interface Experiment {
  readonly config: SettledConfig;
  /** What is measured, in its order: sets of the data set, and how they are divided. */
  readonly objectives: readonly MeasuredObjective[];
  /** Its paths as they were stated: whole, or relative to the folder in which the experiment was opened. */
  readonly stated: StatedPaths;
  readonly dataset: Dataset;
  readonly network: Network;
  readonly model: Model;
  readonly engine: Engine;
  /** Other engines that `auto` passed over, each with its reason. */
  readonly passedOver: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly layout: ParameterLayout;
  /** Those of its groupings that not every network has. */
  readonly groupings: readonly OwnGrouping[];
  /** Examples of a chunk. */
  readonly chunk: number;
  /** What the motion of segments is split into, rounding last; none: it is not split. */
  readonly components: readonly string[];
  /** By which directions the total is divided; null: by none. */
  readonly basis: Basis | null;
  /** The trajectory, where it comes from elsewhere; null: it is trained. */
  readonly recorded: Recorded | null;
  /** θ_0 [K], drawn when it is first asked for, which only training does; null where the trajectory is recorded. */
  readonly start: (() => Promise<Float32Array>) | null;
  /** What the network's outputs are taken for. */
  readonly outputs: OutputUse;
  /** What the sums of a loss that the network computes are divided by, by objective; null: by numbers of examples or labels. */
  readonly divisors: Readonly<Record<string, number>> | null;
  /** What of network and recording is not in θ. */
  readonly leftOut: readonly LeftOut[];
  /** What was decided about the user's files. */
  readonly readings: readonly Reading[];
}

/** A run that exists: it keeps what it needs of model and trajectory. */
export type StoredRun = Pick<RunFolder, 'folder' | 'manifest' | 'status' | 'theta'>;

/** Loads and checks all that a configuration names; throws where it does not fit together. `tell` hears of what takes long. */
export async function openExperiment(
  given: RunConfig,
  stored?: StoredRun,
  tell?: (what: string) => void,
): Promise<Experiment> {
  refuseProcess(given);
  const named = withWholePaths(given);
  const file = await (stored ? storedNetworkFile(stored.folder, stored.manifest) : networkFile(named.model));
  const as = { inputs: file.inputs, labels: named.loss !== 'output' };
  const read = await readDataset(named.data, { as });
  const network = await openModel(named, file, read);
  const model = trackedModel(named, network);
  const fitted = fitLabels(withInputShape(read, model), labelUse(named, model));
  const raw = await withMeasuredSets(fitted, named, model, as);
  const loaded = prepareDataset(raw, loadOptions(named));
  requireFit(named, model, loaded);
  if (!stored) requirePixels(named, model, loaded);
  if (!stored) requireLookups(model, loaded, named.chunk);
  const graph = model.build({ examples: 1, training: false, transform: loaded.transform });
  const { parameters } = graph;
  const groupings = groupingsOf(named, graph);
  const layout = layoutOfGraph(byRunningStatistics(graph), groupings);
  const opened = await recordedTrajectory(named, { weights: network.weights(), graph }, stored);
  const recorded = opened?.recorded ?? null;
  const config = settle(named, loaded, recorded);
  const measured = measuredNames(config)!;
  const usual = chunkOf(config, network.chunk);
  checkControls(config, loaded, layout, recorded !== null);
  const outputs = outputUse(config, graph, loaded.labelling.classAxis);
  const parts = { config, model, dataset: loaded, outputs };
  const { engine, passedOver } = await chooseEngine(config.engine, () => neededGraphs(parts, usual), {
    arithmetic: config.arithmetic,
    known: () => furtherGraphs(parts, usual),
    rates: (engines) => trainingRates(parts, usual, engines),
  });
  const mixing = await chunkMixing(model, loaded, { tell });
  const mixes = (statistics: StatisticsKind) => mixesExamples(mixing, statistics);
  const chunk = fittingChunk(parts, network, engine, usual, mixes);
  const precision = stored?.manifest.definition.precision ?? engine.facts.precision;
  const used = precision === 'float64' ? loaded : narrowed(loaded);
  const own = model.computesLoss ? await weighOwnLoss(model, used, measured, chunk) : null;
  requireDividable(config, model, own);
  const hasPenalty = measuredPenalty(config, layout) !== null;
  const { rows } = masksOf(config, model, used);
  const divided = await divideObjectives({ config, dataset: used, measured, chunk, rows, mixes, hasPenalty });
  const dataset = { ...used, files: [...used.files, ...divided.files] };
  const basis = await openBasis(config, layout.size, stored);
  const start = once(() => startingTheta(config, network.weights(), layout, parameters, stored));
  // What is wrong with it is said before a run is made.
  if (!stored && !recorded) await start();
  const readings = stored?.manifest.readings ?? [
    ...(opened?.readings ?? []),
    ...dataReadings(loaded, model, config),
    ...outputs.readings,
    ...(own?.readings ?? []),
    ...(recorded ? lossReadings(config, model, loaded) : []),
    ...chunkReadings(mixing, loaded, measured, chunk),
    ...circularReadings(graph),
    ...divided.readings,
    ...statisticsReadings(config, network),
    ...(recorded ? [] : await startReading(config)),
  ];
  return {
    config,
    objectives: divided.objectives,
    stated: given,
    model,
    dataset,
    network,
    engine,
    passedOver,
    parameters,
    layout,
    groupings,
    chunk,
    components: componentsOf(config, layout, recorded?.components ?? null),
    basis,
    recorded,
    start: recorded ? null : start,
    outputs,
    divisors: own?.divisors ?? null,
    leftOut:
      stored?.manifest.leftOut ??
      leftOutOf(network.weights(), parameters, recorded ?? { passed: [], buffers: [] }),
    readings,
  };
}

/** Attention heads, where the graph shows them and the user does not say what they are, and the user's own groupings. */
function groupingsOf({ groupings }: RunConfig, graph: Graph): OwnGrouping[] {
  const own = Object.entries(groupings).map(([name, cells]) => ({
    name,
    cells: Array.isArray(cells)
      ? cells.map((pattern) => ({ name: pattern, patterns: [pattern] }))
      : Object.entries(cells).map(([cell, patterns]) => ({ name: cell, patterns })),
  }));
  const heads = headsOf(graph);
  return heads === null || heads.name in groupings ? own : [heads, ...own];
}

function loadOptions({ seed, subset, validation, divisor, standardise }: RunConfig): LoadOptions {
  return {
    seed,
    subset,
    standardise,
    ...(validation === null ? {} : { validation }),
    ...(divisor === null ? {} : { divisor }),
  };
}

async function recordedTrajectory(
  config: RunConfig,
  model: RecordedModel,
  stored: StoredRun | undefined,
): Promise<{ recorded: Recorded; readings: readonly Reading[] } | null> {
  const { trajectory } = config;
  requireFollowable(config);
  if (trajectory === null) return null;
  if (stored) return { recorded: recordedOf(trajectory, stored.manifest), readings: [] };
  const { components } = config;
  return inspectTrajectory(trajectory, model, { ...recordingOptions(config), components });
}

/** What is measured defaults to what is usual and has examples; a recorded trajectory knows its own length. */
function settle(config: RunConfig, { name, splits }: Dataset, recorded: Recorded | null): SettledConfig {
  const filled = Object.entries(splits).flatMap(([set, { count }]) => (count > 0 ? [set] : []));
  const missing = measuredNames(config)?.find((set) => !filled.includes(set));
  if (missing === undefined) {
    const iterations = recorded?.iterations ?? config.iterations;
    const usual = usuallyMeasured.filter((set) => filled.includes(set));
    return { ...config, iterations, measure: config.measure ?? usual };
  }
  throw new UsageError({
    given: `measure ${missing}, of which data set ${name} has no examples`,
    expected: `sets among ${filled.join(', ')}`,
    remedy: `leave it out of measure, draw one (validation: 1000), save x_${missing} and y_${missing}, or say where it is: ${missing}=FILE`,
  });
}

/** Objectives that are measured unless the user says otherwise. */
const usuallyMeasured = ['train', 'validation'];

/** The objective that measuring evaluates; `engine` replaces the experiment's own (to check one by another). */
export function objectivePlan(experiment: Experiment, engine = experiment.engine.name): ObjectivePlan {
  const { config, dataset, layout, chunk, objectives, divisors, model } = experiment;
  const { labelling } = dataset;
  return {
    engine,
    size: layout.size,
    objectives: objectives.map(({ name, examples, division, statistics, counted }) => {
      return {
        name,
        examples,
        division,
        statistics,
        divisor: divisors?.[name] ?? divisorOf(config, counted, labelling),
      };
    }),
    chunk,
    lanes: config.lanes,
    penalty: measuredPenalty(config, layout),
    gradientGraph: (count, masked, statistics) => gradientGraph(experiment, count, false, masked, statistics),
    masks: masksOf(config, model, dataset),
    strips: layout.atoms.neuronAxis,
    keepsPartGradients: config.keepParts === 'parameters',
  };
}
