import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { fingerprint, killedWhen, lca, lcaProcess, temporaryFolder } from '../support/cli.js';
import { npzFile } from '../support/npz.js';
import { writeRecordedRun } from '../support/recorded.js';

const folder = temporaryFolder();
const file = (name: string) => join(folder, name);
const whole = file('whole');

beforeAll(async () => {
  writeRecordedRun(folder, 21);
  const { code, stderr } = await lca([...measure, '--out', whole]);
  expect(code, stderr).toBe(0);
});

const measure = [
  'measure',
  '--model',
  file('model.onnx'),
  '--trajectory',
  file('trajectory.safetensors'),
  '--data',
  file('data.npz'),
  '--chunk',
  '50',
  '--subintervals',
  '8',
  '--tolerance',
  'none',
  '--engine',
  'reference',
  '--quiet',
];

/** What must not depend on interruptions and places; the accuracy's file names the manifest, whose paths do. */
function lasting(run: string): object {
  const { finding } = JSON.parse(readFileSync(join(run, 'analysis/accuracy.json'), 'utf8')) as {
    finding: object;
  };
  return {
    ...fingerprint(join(run, 'ledger.zarr')),
    ...fingerprint(join(run, 'analysis')),
    'accuracy.json': finding,
  };
}

/** Starts measuring and kills it once so many segments are stored. */
async function killedAfter(run: string, segments: number): Promise<void> {
  const args = existsSync(run) ? ['resume', run, '--quiet'] : [...measure, '--out', run];
  const stored = () =>
    existsSync(join(run, 'journal')) &&
    readFileSync(join(run, 'journal'), 'utf8').split('"segment":').length > segments;
  expect(await killedWhen(args, stored)).toBe(true);
}

describe('a measurement of a trajectory from elsewhere', () => {
  it('that is killed again and again ends with the same bytes', async () => {
    const run = file('killed');
    for (const segments of [0, 1, 6, 12]) await killedAfter(run, segments);
    const { code, stderr } = await lca(['resume', run, '--quiet']);
    expect(code, stderr).toBe(0);
    expect(lasting(run)).toEqual(lasting(whole));
  });

  it('goes on where its data have moved, once told where', async () => {
    const run = file('moved');
    await killedAfter(run, 3);
    mkdirSync(file('elsewhere'));
    renameSync(file('data.npz'), file('elsewhere/data.npz'));
    rmSync(file('model.onnx'));
    const lost = await lca(['resume', run, '--quiet']);
    expect(lost.stderr).toMatch(/data .*data\.npz, which the run was made with and which is not there[^]*data\.npz with SHA-256 [0-9a-f]{64}[^]*--data PLACE/);
    expect(lost.code).toBe(2);

    mkdirSync(file('changed'));
    writeFileSync(file('changed/data.npz'), npzFile({ x: { data: new Float32Array(60), shape: [1, 60] }, y: { data: Int32Array.of(0), shape: [1] } }));
    const other = await lca(['resume', run, '--data', file('changed/data.npz'), '--quiet']);
    expect(other.stderr).toMatch(/file data\.npz of data .*changed[^]*which the run was made with/);
    expect(other.code).toBe(2);

    const { code, stderr } = await lca(['measure', run, '--data', file('elsewhere/data.npz'), '--quiet']);
    expect(code, stderr).toBe(0);
    expect(lasting(run)).toEqual(lasting(whole));
    expect((await lca(['report', run, '--quiet'])).code).toBe(0);
    expect((await lca(['verify', run, '--quiet'])).code).toBe(0);
    const blind = await lca(['verify', run, '--sample', '1', '--quiet']);
    expect(blind.stderr).toMatch(/--data PLACE/);
    expect(blind.code).toBe(2);
    const seeing = await lca(['verify', run, '--sample', '1', '--data', file('elsewhere/data.npz'), '--quiet']);
    expect(seeing.stdout + seeing.stderr).toMatch(/1 segment.* recomputed[^]*sound/);
  });

  it('moves with its files where they were stated relative, and names no folder of this machine', async () => {
    const project = file('project');
    mkdirSync(project);
    writeRecordedRun(project, 21);
    const stated = measure.map((arg) => (arg.startsWith(folder) ? arg.slice(folder.length + 1) : arg));
    const made = await lcaProcess([...stated, '--out', 'runs/first'], {}, project);
    expect(made.code, made.stderr).toBe(0);
    const { config } = JSON.parse(readFileSync(join(project, 'runs/first/manifest.json'), 'utf8')) as { config: object };
    expect(config).toMatchObject({ model: '../../model.onnx', data: '../../data.npz', trajectory: '../../trajectory.safetensors' });
    expect(JSON.stringify(config)).not.toContain(folder);
    expect(lasting(join(project, 'runs/first'))).toEqual(lasting(whole));

    const moved = file('archive');
    renameSync(project, moved);
    expect((await lca(['report', join(moved, 'runs/first'), '--quiet'])).code).toBe(0);
    const seen = await lcaProcess(['verify', 'first', '--sample', '1', '--quiet'], {}, join(moved, 'runs'));
    expect(seen.code, seen.stderr).toBe(0);
    rmSync(join(moved, 'data.npz'));
    const lost = await lcaProcess(['verify', 'first', '--sample', '1', '--quiet'], {}, join(moved, 'runs'));
    expect(lost.stderr).toMatch(/archive.data\.npz, which the run was made with and which is not there[^]*data\.npz with SHA-256 [0-9a-f]{64}[^]*--data PLACE/);
  });

  it('asks for its trajectory while rows are missing', async ({ skip }) => {
    const run = file('rows');
    renameSync(file('elsewhere/data.npz'), file('data.npz'));
    writeFileSync(file('model.onnx'), readFileSync(join(whole, 'model.onnx')));
    await killedWhen([...measure, '--out', run], () => existsSync(join(run, 'journal')));
    skip(readFileSync(join(run, 'journal'), 'utf8').includes('"trained"'), 'all rows were copied before the kill');
    renameSync(file('trajectory.safetensors'), file('elsewhere/trajectory.safetensors'));
    const lost = await lca(['resume', run, '--quiet']);
    expect(lost.stderr).toMatch(/trajectory .*not there[^]*--trajectory PLACE/);
    expect(lost.code).toBe(2);
    const found = await lca(['resume', run, '--trajectory', file('elsewhere/trajectory.safetensors'), '--quiet']);
    expect(found.code, found.stderr).toBe(0);
    expect(lasting(run)).toEqual(lasting(whole));
  });
}); // prettier-ignore
