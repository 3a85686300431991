import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isLossledgerError } from '../../src/index.js';
import { baselineFile, processor, type Baseline } from './baseline.js';
import { allCases, engines, type EngineName } from './cases.js';
import { perform, type Outcome } from './perform.js';

/*
 * Writes baseline.json anew: `npm run replay:record`. Only where numbers are meant to change; the commit says why.
 */
const parent = mkdtempSync(join(tmpdir(), 'lossledger-replay-'));
const found: Partial<Record<EngineName, string>> = {};
const runs: Record<string, Outcome['digests']> = {};

for (const given of await allCases()) {
  if (given.absent !== undefined) throw new Error(`${given.name} cannot be recorded: ${given.absent}`);
  for (const engine of given.engines) {
    const name = `${given.name} on ${engine}`;
    console.log(name);
    try {
      const outcome = await perform(given, engine, parent);
      found[engine] = outcome.engine;
      runs[name] = outcome.digests;
    } catch (error) {
      if (given.refusable !== true || !isLossledgerError(error)) throw error;
      console.log(`not recorded, since it is refused: ${error.message}`);
    }
    rmSync(join(parent, name), { recursive: true });
  }
}
rmSync(parent, { recursive: true });

const baseline: Baseline = {
  processor: processor(),
  engines: Object.fromEntries(engines.map((engine) => [engine, found[engine]!])) as Baseline['engines'],
  runs,
};
writeFileSync(baselineFile, `${JSON.stringify(baseline, null, 2)}\n`);
