import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRun, measureRun, openExperiment, resolveConfig, trainRun } from '../../src/index.js';
import type { EngineName, ReplayCase } from './cases.js';
import { digestsOf, type Digests } from './digests.js';

/** What a case gave on one engine. */
export interface Outcome {
  /** What the engine's numbers depend on besides this project's code. */
  readonly engine: string;
  readonly digests: Digests;
}

/** Trains and measures a case in a folder of its own below `parent`. */
export async function perform(given: ReplayCase, engine: EngineName, parent: string): Promise<Outcome> {
  const folder = join(parent, `${given.name} on ${engine}`);
  mkdirSync(folder);
  const experiment = await openExperiment(
    await resolveConfig({ flags: { ...given.config(folder), engine } }),
  );
  const out = join(folder, 'run');
  const run = await createRun(out, experiment);
  try {
    await trainRun(experiment, run);
    await measureRun(experiment, run, { workers: 1 });
  } finally {
    await run.close();
  }
  return { engine: engineOf(out), digests: await digestsOf(out) };
}

/** The engine's version as the manifest states it, without the number of our own code generator. */
function engineOf(run: string): string {
  const manifest = JSON.parse(readFileSync(join(run, 'manifest.json'), 'utf8')) as {
    engine: { version: string };
  };
  return manifest.engine.version.replace(/^(reference|native) \d+/, '$1');
}
