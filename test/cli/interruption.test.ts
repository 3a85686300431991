import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ended, fingerprint, lcaProcess, startCli, temporaryFolder } from '../support/cli.js';

const definition = [
  'mnist-fc-sgd', '--subset', '300', '--iterations', '12', '--batch-size', '50', '--chunk', '100', '--quiet',
]; // prettier-ignore

/** Kills, spread over the time that a run takes; `npm run torture` kills hundreds of times. */
const moments = 4;

/** What must not depend on workers or interruptions. */
function lasting(run: string): Record<string, string> {
  return { ...fingerprint(join(run, 'ledger.zarr')), ...fingerprint(join(run, 'analysis')) };
}

async function undisturbed(folder: string, workers: number): Promise<string> {
  const run = join(folder, `workers-${workers}`);
  const result = await lcaProcess(['run', ...definition, '--out', run, '--workers', String(workers)]);
  expect(result.stderr + String(result.code)).toMatch(/0$/);
  return run;
}

/** Starts or resumes a run and kills it after so many milliseconds; returns whether it was killed in time. */
async function killAfter(run: string, milliseconds: number): Promise<boolean> {
  const args = existsSync(run) ? ['resume', run, '--quiet'] : ['run', ...definition, '--out', run];
  const child = startCli(args);
  const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds);
  const { signal } = await ended(child);
  clearTimeout(timer);
  return signal === 'SIGKILL';
}

describe('interruption', () => {
  it('changes nothing: a run killed at random moments, and any number of workers, give the same bytes', async () => {
    const folder = temporaryFolder();
    const start = performance.now();
    const expected = lasting(await undisturbed(folder, 1));
    const usual = performance.now() - start;
    expect(lasting(await undisturbed(folder, 2))).toEqual(expected);

    let kills = 0;
    for (let attempt = 0; kills < moments; attempt++) {
      const run = join(folder, `killed-${attempt}`);
      while (kills < moments && (await killAfter(run, ((kills + Math.random()) / moments) * usual))) kills++;
      if (!existsSync(run)) continue;
      const { code, stderr } = await lcaProcess(['resume', run, '--quiet']);
      expect(stderr + String(code)).toMatch(/0$/);
      expect(lasting(run)).toEqual(expected);
    }
    expect(kills).toBe(moments);
  });
});
