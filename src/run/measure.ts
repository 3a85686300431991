import type { RunWriter } from '../store/writer.js';
import { defaultWorkers } from './engines.js';
import { objectivePlan, type Experiment } from './experiment.js';
import { measureRange } from './measure-range.js';
import { Evaluator } from './objective/evaluator.js';
import type { WorkControl } from './control.js';

interface MeasureControl extends WorkControl {
  /** Worker threads; default one per core. */
  readonly workers?: number | undefined;
}

/** Measures what is not measured yet and seals the ledger. Does nothing where measuring is complete. */
export async function measureRun(
  experiment: Experiment,
  run: RunWriter,
  { progress, signal, workers }: MeasureControl,
): Promise<void> {
  const { config, engine, layout } = experiment;
  const gaps = run.unmeasured();
  if (gaps.length > 0) {
    const evaluator = await Evaluator.start(
      objectivePlan(experiment),
      workers ?? defaultWorkers(engine.name),
    );
    let done = run.status.segments;
    progress.start(config.iterations, done);
    try {
      for (const gap of gaps) {
        const segments = measureRange({
          ...gap,
          theta: (row) => run.theta(row),
          evaluate: (theta) => evaluator.evaluate(theta),
          settings: config,
          layout,
        });
        for await (const segment of segments) {
          await run.commitSegment(segment);
          progress.update(++done, `loss ${segment.lossEnd[0]!.toFixed(4)}`);
          if (signal?.aborted) break;
        }
        if (signal?.aborted) break;
      }
    } finally {
      progress.stop();
      await evaluator.close();
    }
  }
  signal?.throwIfAborted();
  await run.seal();
}
