import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { resolveConfig } from '../../src/experiment/config/file.js';
import { openExperiment } from '../../src/experiment/experiment.js';
import { createRun } from '../../src/experiment/manifest.js';
import { indexed, kubernetesManifest } from '../../src/run/cluster/kubernetes.js';
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

/** What a server demands of an Indexed Job beyond the schema (ValidateJob of Kubernetes 1.29); the fields that are wrong. */
function objections({ metadata, spec }: Job): string[] {
  const { completions = 0, parallelism = 0, maxFailedIndexes = 0, template, podFailurePolicy } = spec!;
  const isHigh = completions > 100_000;
  const rules = podFailurePolicy?.rules ?? [];
  const containers = template.spec!.containers.map(({ name }) => name);
  const codes = rules.flatMap(({ onExitCodes }) => onExitCodes ?? []);
  const laws: Record<string, boolean> = {
    // Pods are called by the job and their index, as names of hosts.
    name: /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(`${metadata!.name!}-${completions - 1}`),
    parallelism: parallelism <= (isHigh ? 10_000 : 100_000),
    maxFailedIndexes: maxFailedIndexes <= Math.min(completions, isHigh ? 10_000 : 100_000),
    restartPolicy: template.spec!.restartPolicy === 'Never',
    rules: rules.every(({ onExitCodes, onPodConditions }) => (onExitCodes === undefined) !== (onPodConditions === undefined)),
    onExitCodes: codes.every(({ containerName, values }) => containers.includes(containerName!) && values.length > 0 && !values.includes(0)),
  };
  return Object.keys(laws).filter((law) => !laws[law]);
} // prettier-ignore

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

  it('is what a server takes, for more tasks than it lets fail or run at once, too', async () => {
    const [work] = await jobs();
    expect(objections(work)).toEqual([]);
    for (const tasks of [100_000, 100_001, 1_000_000]) {
      const large = new Job({ metadata: work.metadata!, spec: { ...work.spec!, ...indexed(tasks, tasks) } });
      large.validate();
      expect(objections(large)).toEqual([]);
    }
    const wide = new Job({ metadata: work.metadata!, spec: { ...work.spec!, completions: 100_001, parallelism: 100_001 } });
    expect(objections(wide)).toEqual(['parallelism']);
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
