import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { resolveConfig } from '../../src/experiment/config/file.js';
import { openExperiment } from '../../src/experiment/experiment.js';
import { createRun } from '../../src/experiment/manifest.js';
import { kubernetesManifest } from '../../src/run/cluster/kubernetes.js';
import { planTasks } from '../../src/run/cluster/plan.js';
import { trainRun } from '../../src/run/train.js';

const parent = mkdtempSync(join(tmpdir(), 'lossledger-'));
const run = join(parent, 'My_Run');

beforeAll(async () => {
  const flags = { subset: 20, iterations: 4, batchSize: 5, chunk: 20, engine: 'reference' as const, measure: ['train'] };
  const experiment = await openExperiment(await resolveConfig({ from: 'mnist-fc-sgd', flags }));
  const writer = await createRun(run, experiment);
  await trainRun(experiment, writer);
  await writer.close();
  await planTasks(run, { tasks: 3 });
}); // prettier-ignore
afterAll(() => {
  rmSync(parent, { recursive: true, force: true });
});

/** The two jobs, as the schema of Kubernetes takes them. */
async function jobs(options = {}): Promise<[Job, Job]> {
  const documents = parseAllDocuments(await kubernetesManifest(run, options));
  const found = documents.map((document) => new Job(document.toJS() as ConstructorParameters<typeof Job>[0]));
  for (const job of found) job.validate();
  expect(found).toHaveLength(2);
  return found as [Job, Job];
}

describe('the manifest for Kubernetes', () => {
  it('is by its schema an Indexed Job of the tasks and a Job that merges', async () => {
    const [work, merge] = await jobs({ image: 'r/lca:1', claim: 'mine', processors: 2, work: ['--data', '/d'] });
    expect(work.metadata!.name).toBe('lca-my-run-work');
    expect(work.spec).toMatchObject({ completionMode: 'Indexed', completions: 3, parallelism: 3, backoffLimitPerIndex: 3 });
    expect(work.spec!.podFailurePolicy!.rules[0]).toMatchObject({ action: 'Ignore', onExitCodes: { values: [75] } });
    const pod = work.spec!.template.spec!;
    expect(pod.containers[0]!.args).toEqual(['lca', 'work', run, '--workers', '2', '--quiet', '--data', '/d']);
    expect(pod.containers[0]!.resources!.requests).toMatchObject({ cpu: '2', memory: expect.stringMatching(/^\d{4}Mi$/) as string });
    expect(pod.containers[0]!.volumeMounts).toContainEqual({ name: 'run', mountPath: parent });
    expect(pod.volumes).toContainEqual({ name: 'run', persistentVolumeClaim: { claimName: 'mine' } });
    expect(merge.spec!.template.spec!.containers[0]!.args!.slice(-3)).toEqual(['merge', run, '--quiet']);
  }); // prettier-ignore

  it.each([
    { image: '' }, { image: 'bad image:!!' }, { image: ':5000/lca' }, { claim: 'Bad Name' }, { claim: '-mine' }, { secret: 'Über' }, { secret: '' },
  ])('is not made with a name that Kubernetes refuses: %j', async (options) => {
    await expect(kubernetesManifest(run, options)).rejects.toThrow(/--(image|claim|secret) "/);
  }); // prettier-ignore

  it.each([
    { image: 'lca' }, { image: 'localhost:5000/team/lca:1.0' }, { image: `r.example/lca@sha256:${'0'.repeat(64)}` }, { claim: 'a' }, { claim: 'my.claim-2' },
  ])('is made with %j', async (options) => {
    await jobs(options);
  }); // prettier-ignore

  it('is refused by the schema where a field is of another kind', () => {
    const broken = { spec: { completions: 'three', template: {} } } as unknown as ConstructorParameters<typeof Job>[0]; // prettier-ignore
    expect(() => { new Job(broken).validate(); }).toThrow(/completions/); // prettier-ignore
  });
});
