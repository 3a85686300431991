import type { RunWriter } from '../store/writer.js';
import { defaultWorkers } from '../engines/registry.js';
import { objectivePlan, type Experiment } from '../experiment/experiment.js';
import { measureRange, type MeasuredSegment } from '../ledger/measure-range.js';
import { Evaluator } from '../objective/evaluator.js';
import { resolutions } from '../quadrature/settings.js';
import { storedDirections } from './basis.js';
import { Updates } from './updates.js';
import { checkSegments, type SegmentRange, silent, withProgress, type WorkControl } from '../experiment/control.js'; // prettier-ignore

/** How a caller watches, stops and spreads measuring. */
export interface MeasureControl extends WorkControl {
  /** Worker threads; default one per core. */
  readonly workers?: number | undefined;
  /** Of which segments; default all. */
  readonly segments?: SegmentRange | undefined;
}

/** Measures what is not measured yet. Does nothing where measuring is complete. Throws UsageError for segments that the run does not have. */
export async function measureRun(
  experiment: Experiment,
  run: RunWriter,
  { progress = silent, signal, workers, segments }: MeasureControl = {},
): Promise<void> {
  const gaps = unmeasuredOf(run, segments);
  if (gaps.length > 0) {
    const count = workers ?? defaultWorkers(experiment.engine);
    const evaluator = await Evaluator.start(objectivePlan(experiment), count);
    let updates: Updates | null = null;
    let done = run.status.segments;
    try {
      updates = await Updates.open(experiment);
      const basis = await storedDirections(run);
      await withProgress(
        progress,
        { total: done + gaps.reduce((total, { from, to }) => total + to - from, 0), done },
        async () => {
          for await (const segment of segmentsOf(experiment, run, { evaluator, updates, basis }, gaps)) {
            await run.commitSegment(segment);
            progress.update(++done, `loss ${segment.rows[0]!.loss[1]!.toFixed(4)}`);
            signal?.throwIfAborted();
          }
        },
      );
    } finally {
      await evaluator.close();
      await updates?.close();
    }
  }
  await run.flush();
}

/** Ranges of segments that are to be measured. */
function unmeasuredOf(run: RunWriter, segments: SegmentRange | undefined): SegmentRange[] {
  if (segments === undefined) return run.unmeasured();
  checkSegments(segments, run.status.iterations);
  return run
    .unmeasured()
    .map(({ from, to }) => ({ from: Math.max(from, segments.from), to: Math.min(to, segments.to) }))
    .filter(({ from, to }) => from < to);
}

interface MeasuringParts {
  readonly evaluator: Evaluator;
  readonly updates: Updates | null;
  readonly basis: readonly Float64Array[];
}

/** Measures ranges of segments, one after the other. */
async function* segmentsOf(
  { config, layout, engine, objectives }: Experiment,
  run: RunWriter,
  { evaluator, updates, basis }: MeasuringParts,
  ranges: readonly SegmentRange[],
): AsyncGenerator<MeasuredSegment> {
  for (const range of ranges) {
    yield* measureRange({
      ...range,
      theta: (row) => run.theta(row),
      evaluate: (theta, directions, want) => evaluator.evaluate(theta, directions, want),
      hasParts: objectives.some(({ division }) => division !== null),
      ...(updates === null ? {} : { split: (segment, motion) => updates.split(segment, motion) }),
      release: (results) => { evaluator.release(results); }, // prettier-ignore
      basis,
      settings: { ...config, resolution: resolutions[engine.facts.precision] },
      layout,
      precision: engine.facts.precision,
    });
  }
}
