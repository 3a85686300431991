import { evaluateProcess } from '../../engines/process/objectives.js';
import { defaultWorkers, engineNamed } from '../../engines/registry.js';
import { checkConfig } from '../../experiment/config/file.js';
import type { RunConfig } from '../../experiment/config/schema.js';
import { experimentOf } from '../../experiment/manifest.js';
import type { Places } from '../../experiment/places.js';
import { measureRange, type MeasuredSegment } from '../../ledger/measure-range.js';
import type { IntegrationSettings } from '../../quadrature/types.js';
import type { RunFolder } from '../../store/folder.js';
import { isProcessRun, reopenProgram } from '../process/process.js';
import { Evaluators, Witness, type WitnessKind } from './witness.js';

/** How what recomputes is run: of models by workers, of objective processes by so many processes. */
export interface OracleOptions {
  readonly workers?: number | undefined;
  /** Default 1. */
  readonly processes?: number | undefined;
  readonly places?: Places | undefined;
}

/** What recomputes the segments of a run: the reference engine for models, the program for objective processes. */
export interface Oracle {
  readonly config: Pick<RunConfig, 'rule' | 'subintervals'>;
  /** In words: what it is, and how it recomputes. */
  readonly name: string;
  readonly words: string;
  /** Whether it can tell what float32 does to a segment. */
  readonly explains: boolean;
  /** What measures segments, in ascending order. */
  open(kind: WitnessKind): Promise<SegmentSource>;
  /** Ends everything that it started. */
  close(): Promise<void>;
}

/** Measures segments anew. */
export interface SegmentSource {
  measure(from: number, settings: IntegrationSettings): Promise<MeasuredSegment>;
  close(): Promise<void>;
}

/** What recomputes the segments of a run. Throws DataError where what the run was made with is no longer there. */
export function oracleOf(run: RunFolder, options: OracleOptions): Promise<Oracle> {
  return isProcessRun(run.manifest) ? processOracle(run, options) : referenceOracle(run, options);
}

async function referenceOracle(run: RunFolder, { places, workers }: OracleOptions): Promise<Oracle> {
  const engine = await engineNamed('reference');
  const experiment = await experimentOf(run, places, engine.name);
  const evaluators = new Evaluators(experiment, workers ?? defaultWorkers(engine));
  return {
    config: experiment.config,
    name: 'the reference engine',
    words: 'in float64',
    explains: true,
    open: (kind) => Witness.open(run, experiment, kind, evaluators),
    close: () => evaluators.close(),
  };
}

/** The program of a run, which states the same as when the run was made. */
async function processOracle(run: RunFolder, { processes }: OracleOptions): Promise<Oracle> {
  const config = checkConfig(run.manifest.config, 'the manifest');
  const { program, layout } = await reopenProgram(config, run.manifest, processes);
  const keepsGradients = config.keepParts === 'parameters';
  const measure = async (from: number, settings: IntegrationSettings): Promise<MeasuredSegment> => {
    const range = measureRange({
      from,
      to: from + 1,
      theta: (row) => run.theta(row),
      evaluate: (theta, directions, want) =>
        evaluateProcess(program, layout, keepsGradients, { theta, directions, want }),
      hasParts: program.statement.objectives.some(({ parts }) => parts.length > 0),
      settings,
      layout,
      precision: run.manifest.definition.precision,
    });
    for await (const segment of range) return segment;
    throw new TypeError(`segment ${from} is none`);
  };
  return {
    config,
    name: 'what the objective process says now',
    words: 'by the objective process',
    explains: false,
    open: () => Promise.resolve({ measure, close: () => Promise.resolve() }),
    close: () => {
      program.close();
      return Promise.resolve();
    },
  };
}
