import { manifestOf } from '../../src/experiment/manifest.js';
import { type Experiment, objectivePlan } from '../../src/experiment/experiment.js';
import type { ManifestContent } from '../../src/format/manifest.js';
import { measureRange, type RangeInput } from '../../src/ledger/measure-range.js';
import { Evaluator } from '../../src/objective/evaluator.js';
import type { RuleName } from '../../src/quadrature/types.js';
import { trainRun } from '../../src/run/train.js';
import { createRunFolder } from '../../src/store/open.js';

/** How a run is measured otherwise than it says. */
export interface Faults {
  /** By which rule, where it says Simpson's. */
  readonly rule?: RuleName;
  /** What differs in the manifest. */
  readonly manifest?: Partial<ManifestContent>;
  /** Moves the points [K] at which it is evaluated. */
  readonly move?: (theta: Float64Array) => void;
  /** Splits the motion of segments. */
  readonly split?: RangeInput['split'];
}

/** Trains into a new folder and measures with faults, on one worker; every sum and checksum fits. */
export async function measuredRun(
  folder: string,
  experiment: Experiment,
  { rule = 'simpson', manifest, move, split }: Faults,
): Promise<void> {
  const run = await createRunFolder(
    folder,
    { ...manifestOf(experiment), ...manifest },
    experiment.network.attachments,
  );
  const evaluator = await Evaluator.start(objectivePlan(experiment), 1);
  try {
    await trainRun(experiment, run);
    const segments = measureRange({
      from: 0,
      to: run.status.iterations,
      theta: (row) => run.theta(row),
      evaluate: (theta, ...more) => {
        move?.(theta);
        return evaluator.evaluate(theta, ...more);
      },
      ...(split === undefined ? {} : { split }),
      settings: { ...experiment.config, rule, tolerance: null },
      layout: experiment.layout,
      precision: run.manifest.definition.precision,
    });
    for await (const segment of segments) {
      await run.commitSegment({ ...segment, rows: segment.rows.map((row) => ({ ...row, subintervals: 2 })) });
    }
    await run.flush();
  } finally {
    await evaluator.close();
    await run.close();
  }
}
