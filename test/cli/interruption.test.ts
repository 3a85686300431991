import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fingerprint, killedWhen, lcaProcess, temporaryFolder } from '../support/cli.js';

const definition = [
  'mnist-fc-sgd', '--subset', '300', '--iterations', '12', '--batch-size', '50', '--chunk', '100', '--quiet',
]; // prettier-ignore

/** Kills, spread over what a run writes; `npm run torture` kills hundreds of times. */
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

/** Files and folders of a run so far. */
function stored(run: string): number {
  try {
    return readdirSync(run, { recursive: true }).length;
  } catch {
    // It is not there yet, or a draft went away meanwhile.
    return 0;
  }
}

/** Starts or resumes a run and kills it once it has so many files; returns whether it was killed in time. */
function killAt(run: string, files: number): Promise<boolean> {
  const args = existsSync(run) ? ['resume', run, '--quiet'] : ['run', ...definition, '--out', run];
  return killedWhen(args, () => stored(run) >= files);
}

describe('records of measured segments that somebody deleted', () => {
  it('are measured again, which is said, and give the same bytes', async () => {
    const folder = temporaryFolder();
    const whole = await undisturbed(folder, 2);
    const run = join(folder, 'run');
    await lcaProcess(['train', ...definition, '--out', run]);
    await lcaProcess(['measure', run, '--segments', '2:7', '--quiet']);
    rmSync(join(run, 'pending'), { recursive: true });
    const { code, stderr } = await lcaProcess(['resume', run, '--quiet']);
    expect(stderr).toMatch(
      /Records of 5 segments \(2 to 6\) are missing or damaged in .*pending: measured again/,
    );
    expect(code).toBe(0);
    expect(lasting(run)).toEqual(lasting(whole));
  });
});

describe('interruption', () => {
  it('changes nothing: a run killed at random moments, and any number of workers, give the same bytes', async () => {
    const folder = temporaryFolder();
    const whole = await undisturbed(folder, 1);
    const expected = lasting(whole);
    expect(lasting(await undisturbed(folder, 2))).toEqual(expected);

    let kills = 0;
    for (let attempt = 0; kills < moments; attempt++) {
      const run = join(folder, `killed-${attempt}`);
      while (kills < moments && (await killAt(run, ((kills + Math.random()) / moments) * stored(whole))))
        kills++;
      if (!existsSync(run)) continue;
      const { code, stderr } = await lcaProcess(['resume', run, '--quiet']);
      expect(stderr + String(code)).toMatch(/0$/);
      expect(lasting(run)).toEqual(expected);
    }
    expect(kills).toBe(moments);
  });
});
