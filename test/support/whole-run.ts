import { checkConfig } from '../../src/experiment/config/file.js';
import type { RunConfigInput } from '../../src/experiment/config/schema.js';
import { openExperiment } from '../../src/experiment/experiment.js';
import { createRun } from '../../src/experiment/manifest.js';
import type { RunReader } from '../../src/format/reader.js';
import { quantityOf } from '../../src/run/export/quantity.js';
import type { Quantity } from '../../src/run/export/selection.js';
import { measureRun } from '../../src/run/measure.js';
import { trainRun } from '../../src/run/train.js';
import { openRun } from '../../src/store/open.js';

/** Trains and measures a run into a new folder, on one worker of this process, and opens it. */
export async function wholeRun(place: string, settings: RunConfigInput): Promise<RunReader> {
  const experiment = await openExperiment(checkConfig(settings, 'the test'));
  const run = await createRun(place, experiment);
  try {
    await trainRun(experiment, run);
    await measureRun(experiment, run, { workers: 1 });
  } finally {
    await run.close();
  }
  return openRun(place);
}

/** All rows of what `lca export` writes of a quantity. */
export async function exportedRows(run: RunReader, asked: Quantity): Promise<Float64Array[]> {
  const rows: Float64Array[] = [];
  for await (const row of quantityOf(run, asked).rows()) rows.push(Float64Array.from(row));
  return rows;
}
