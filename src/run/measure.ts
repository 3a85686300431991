import type { RunFolder } from '../store/folder.js';
import type { RunWriter } from '../store/writer.js';
import { defaultWorkers } from '../engines/registry.js';
import { objectivePlan, type Experiment } from '../experiment/experiment.js';
import type { VectorLoops } from '../num/vector-loops.js';
import { measureRange, type MeasuredSegment, type RangeInput } from '../ledger/measure-range.js';
import { Evaluator } from '../objective/evaluator.js';
import type { Threads } from '../objective/threads.js';
import { resolutions } from '../quadrature/settings.js';
import type { IntegrationSettings } from '../quadrature/types.js';
import { storedDirections } from './basis.js';
import { Updates } from './updates.js';
import { checkSegments, type RowGate, type SegmentRange, silent, withProgress, type WorkControl } from '../experiment/control.js'; // prettier-ignore

/** Where a trajectory is read from and its measured segments are stored: a run, or a part of one. */
export type MeasuredStore = RunFolder & Pick<RunWriter, 'commitSegment' | 'flush'>;

/** How a caller watches, stops and spreads measuring. */
export interface MeasureControl extends WorkControl {
  /** Worker threads; default one per core. */
  readonly workers?: number | undefined;
  /** Where they come from and go to; default new ones. */
  readonly threads?: Threads | undefined;
  /** Of which segments; default all. */
  readonly segments?: SegmentRange | undefined;
  /** What must be done before anything is measured, such as training; workers start meanwhile. */
  readonly after?: Promise<void> | undefined;
  /** Segments are measured as soon as it lets their rows of θ through; `after` is awaited last. */
  readonly gate?: RowGate | undefined;
}

/**
 * Measures what is not measured yet. Does nothing where measuring is complete. Throws UsageError for segments that the run does not have, and
 * what `after` throws.
 */
export async function measureRun(
  experiment: Experiment,
  run: MeasuredStore,
  { workers, threads, segments, after, gate, ...control }: MeasureControl = {},
): Promise<void> {
  const gaps = unmeasuredOf(run, segments);
  if (gaps.length === 0) {
    await after;
    return run.flush();
  }
  const evaluator = await startMeanwhile(experiment, { workers, threads }, gate ? undefined : after);
  const measuring = measureGaps(experiment, run, gaps, { ...control, evaluator, gate });
  try {
    await Promise.race([measuring, failureOf(after)]);
    await after;
  } finally {
    await evaluator.close();
    // What was under way is rejected by then.
    await measuring.catch(() => undefined);
  }
}

/** Rejects as soon as something fails, and never resolves: rows that were stored before may be many, and nobody wants them measured first. */
function failureOf(other: Promise<unknown> = Promise.resolve()): Promise<never> {
  return new Promise((_, reject) => {
    other.catch(reject);
  });
}

/** Workers that evaluate the objectives of an experiment; default one per core. Throws EngineError. */
export function evaluatorOf(
  experiment: Experiment,
  { workers, threads }: Pick<MeasureControl, 'workers' | 'threads'> = {},
): Promise<Evaluator> {
  return Evaluator.start(objectivePlan(experiment), workers ?? defaultWorkers(experiment.engine), threads);
}

/** Measures ranges of segments by workers that go on being used. Throws EngineError where one fails. */
export async function measureGaps(
  experiment: Experiment,
  run: MeasuredStore,
  gaps: readonly SegmentRange[],
  {
    evaluator,
    gate,
    ...control
  }: WorkControl & Pick<MeasureControl, 'gate'> & { readonly evaluator: Evaluator },
): Promise<void> {
  const { config, layout, engine, objectives } = experiment;
  const updates = await Updates.open(experiment);
  try {
    await measureSegments(run, gaps, control, {
      evaluate: (theta, directions, want) => evaluator.evaluate(theta, directions, want),
      release: (results) => { evaluator.release(results); }, // prettier-ignore
      inFlight: evaluator.inFlight,
      hasParts: objectives.some(({ division }) => division !== null),
      updates,
      config,
      layout,
      precision: engine.facts.precision,
      loops: await engine.loops?.(),
      gate,
    });
  } finally {
    await updates?.close();
  }
}

/** An evaluator that starts while something else is done; where that fails it is closed again. */
async function startMeanwhile(
  experiment: Experiment,
  where: Pick<MeasureControl, 'workers' | 'threads'>,
  other?: Promise<void>,
): Promise<Evaluator> {
  const starting = evaluatorOf(experiment, where);
  // Whoever awaits it sees the error, unless the other work fails before.
  starting.catch(() => undefined);
  try {
    await other;
  } catch (error) {
    await starting.then((evaluator) => evaluator.close(), () => undefined); // prettier-ignore
    throw error;
  }
  return starting;
}

/** Ranges of segments that are to be measured. Throws UsageError for segments that the run does not have. */
export function unmeasuredOf(run: MeasuredStore, segments?: SegmentRange): SegmentRange[] {
  if (segments === undefined) return run.unmeasured();
  checkSegments(segments, run.status.iterations);
  return run
    .unmeasured()
    .map(({ from, to }) => ({ from: Math.max(from, segments.from), to: Math.min(to, segments.to) }))
    .filter(({ from, to }) => from < to);
}

/** What segments are measured with. */
export interface MeasuringParts extends Pick<RangeInput, 'evaluate' | 'inFlight' | 'layout'> {
  readonly release: NonNullable<RangeInput['release']>;
  readonly hasParts: boolean;
  readonly updates: Updates | null;
  readonly gate?: RowGate | undefined;
  readonly config: IntegrationSettings;
  readonly precision: 'float32' | 'float64';
  readonly loops?: VectorLoops | undefined;
}

/** Measures and stores ranges of a run's segments. */
export async function measureSegments(
  run: MeasuredStore,
  ranges: readonly SegmentRange[],
  { progress = silent, signal }: WorkControl,
  parts: MeasuringParts,
): Promise<void> {
  const basis = await storedDirections(run);
  let done = run.status.segments;
  const total = done + ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  await withProgress(progress, { total, done }, async () => {
    for await (const segment of segmentsOf(run, ranges, parts, basis)) {
      await run.commitSegment(segment);
      progress.update(++done, `loss ${segment.rows[0]!.loss[1]!.toFixed(4)}`);
      signal?.throwIfAborted();
    }
  });
  await run.flush();
}

/** Measures ranges of segments, one after the other. */
async function* segmentsOf(
  run: MeasuredStore,
  ranges: readonly SegmentRange[],
  { updates, config, precision, gate, evaluate, loops, ...own }: MeasuringParts,
  basis: readonly Float64Array[],
): AsyncGenerator<MeasuredSegment> {
  // A failure is told to who waits for a row, too, which may never come.
  const telling: RangeInput['evaluate'] = (...given) =>
    evaluate(...given).catch((error: unknown) => {
      gate?.fail(error);
      throw error;
    });
  for (const range of ranges) {
    yield* measureRange({
      ...own,
      ...range,
      evaluate: telling,
      theta: async (row) => {
        await gate?.until(row);
        return run.theta(row);
      },
      ...(updates === null ? {} : { split: (segment, motion) => updates.split(segment, motion) }),
      basis,
      settings: { ...config, resolution: resolutions[precision] },
      precision,
      ...(loops ? { loops } : {}),
    });
  }
}
