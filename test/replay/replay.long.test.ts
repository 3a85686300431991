import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { engineStatuses } from '../../src/index.js';
import { temporaryFolder } from '../support/cli.js';
import { elsewhere, readBaseline } from './baseline.js';
import { allCases, type EngineName } from './cases.js';
import { perform } from './perform.js';

const baseline = readBaseline();
const parent = temporaryFolder();
const statuses = await engineStatuses();
const cases = (await allCases()).map((given) => ({
  ...given,
  engines: given.engines.filter((engine) => `${given.name} on ${engine}` in baseline.runs),
}));

/** Why an engine is not here. */
function missing(engine: EngineName): string | undefined {
  const availability = statuses.find(({ name }) => name === engine)!.availability;
  return availability.ok ? undefined : availability.reason;
}

describe.each(cases)('the numbers of $name', { timeout: 300_000 }, (given) => {
  it.for(given.engines)('on %s are those that were recorded', async (engine, ctx) => {
    const absent = given.absent ?? missing(engine);
    if (absent !== undefined) ctx.skip(absent);
    const name = `${given.name} on ${engine}`;
    const outcome = await perform(given, engine, parent);
    rmSync(join(parent, name), { recursive: true });
    const reason = elsewhere(baseline, engine, outcome.engine);
    if (reason !== null) ctx.skip(reason);
    // A column that came later has no record.
    expect(outcome.digests).toMatchObject(baseline.runs[name]!);
  });
});

it('each recorded run is one of the cases', () => {
  const names = cases.flatMap(({ name, engines }) => engines.map((engine) => `${name} on ${engine}`));
  expect(Object.keys(baseline.runs)).toEqual(names);
});
