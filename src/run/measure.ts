import { defaultWorkers } from './engines.js';
import { objectivePlan, type Experiment } from './experiment.js';
import type { RunFolder } from './folder.js';
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
  folder: RunFolder,
  { progress, signal, workers }: MeasureControl,
): Promise<void> {
  const { config, engine, layout } = experiment;
  const from = folder.measuredSegments;
  if (folder.sealed) return;
  const evaluator = await Evaluator.start(objectivePlan(experiment), workers ?? defaultWorkers(engine.name));
  progress.start(config.iterations, from);
  try {
    const segments = measureRange({
      from,
      to: config.iterations,
      theta: (row) => folder.theta(row),
      evaluate: (theta) => evaluator.evaluate(theta),
      settings: config,
      layout,
    });
    for await (const segment of segments) {
      await folder.commitSegment(segment);
      progress.update(segment.segment + 1, `loss ${segment.lossEnd[0]!.toFixed(4)}`);
      if (signal?.aborted) break;
    }
  } finally {
    progress.stop();
    await evaluator.close();
  }
  signal?.throwIfAborted();
  await folder.seal();
}
