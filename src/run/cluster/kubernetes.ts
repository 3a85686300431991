import { dirname, resolve } from 'node:path';
import { stringify } from 'yaml';
import { UsageError } from '../../errors.js';
import { estimateMemory } from '../../experiment/cost/memory.js';
import { experimentOf } from '../../experiment/manifest.js';
import { version } from '../../experiment/version.js';
import { openRun } from '../../store/open.js';
import { isRemote } from '../../store/s3/remote-run.js';
import { isProcessRun } from '../process/process.js';
import { requirePlan, taskStates } from './plan.js';

/** How the jobs of a manifest run. */
export interface KubernetesOptions {
  /** Container image; default `lossledger:VERSION`, as deploy/ makes it. */
  readonly image?: string | undefined;
  /** Volume claim that holds a run in a folder, mounted where the folder lies here; default `lossledger`. */
  readonly claim?: string | undefined;
  /** Secret whose entries are the AWS_… variables of a run in an object store; default `lossledger-s3`. */
  readonly secret?: string | undefined;
  /** Processors of a worker, each with a thread; default 4. */
  readonly processors?: number | undefined;
  /** Workers at a time; default all that are missing. */
  readonly parallelism?: number | undefined;
  /** Further arguments of `lca work`. */
  readonly work?: readonly string[];
  /** Takes parts of other machines or versions than those that the plan is for. */
  readonly mixed?: boolean | undefined;
}

/** What Node.js and the data take beside what the estimate counts, in bytes. */
const besides = 2 ** 30;
/** Exit status of a worker that was told to go: its task is not counted as failed. */
const preempted = 75;
/** Exit status of a merging that lacks parts, and seconds until it looks again. */
const lacking = 1;
const pauseSeconds = 60;

/**
 * Manifests, as YAML, of an Indexed Job that works on the tasks of a plan and of a Job that merges their parts as they come. Indices are numbers of tasks; a pod of a
 * task that is done ends at once.
 *
 * @throws UsageError where there is no plan, nothing is missing, or Kubernetes would refuse a name.
 */
export async function kubernetesManifest(folder: string, options: KubernetesOptions = {}): Promise<string> {
  requireNames(options);
  const run = await openRun(folder);
  const states = await taskStates(run, await requirePlan(run));
  const last = states.lastIndexOf('missing');
  if (last < 0) throw nothingMissing(folder);
  const missing = states.filter((state) => state === 'missing').length;
  const { processors = 4, parallelism = missing, work = [], mixed = false } = options;
  // What a program of the user's takes is not known: its limit is for the user to raise.
  const known = isProcessRun(run.manifest) ? 0 : estimateMemory(await experimentOf(run), processors).total;
  const memory = known + besides;
  const place = isRemote(folder) ? folder : resolve(folder);
  const flags = ['--quiet', ...(mixed ? ['--mixed'] : [])];
  const worker = podOf(place, options, {
    args: ['lca', 'work', place, '--workers', String(processors), ...flags, ...work],
    resources: resources(processors, memory),
  });
  const merge = podOf(place, options, {
    args: ['sh', '-c', untilMerged, 'merge', place, ...flags],
    resources: resources(1, besides),
  });
  const name = nameOf(place);
  const jobs = [
    jobOf(`${name}-work`, worker, {
      ...indexed(last + 1, Math.min(parallelism, missing)),
      podFailurePolicy: {
        rules: [
          { action: 'Ignore', onExitCodes: { containerName: 'lca', operator: 'In', values: [preempted] } },
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
        ],
      },
    }),
    jobOf(`${name}-merge`, merge, { backoffLimit: 3 }),
  ];
  return jobs.map((job) => stringify(job, { aliasDuplicateObjects: false })).join('---\n');
}

/** Tasks from which on a server takes fewer pods at a time and fewer failed indices, and what it takes then. */
const [many, mostOfMany] = [100_000, 10_000];

/** How so many tasks are spread over pods: each on its own, the others go on where one fails. As far as a server takes it. */
export function indexed(tasks: number, parallelism: number) {
  const most = tasks > many ? mostOfMany : many;
  return {
    completionMode: 'Indexed' as const,
    completions: tasks,
    parallelism: Math.min(parallelism, most),
    backoffLimitPerIndex: 3,
    maxFailedIndexes: Math.min(tasks, most),
  };
}

/** Merges what is there until nothing is missing; ends with another status than "something is missing". */
const untilMerged = `while :; do lca merge "$@"; status=$?; [ $status = ${lacking} ] || exit $status; sleep ${pauseSeconds}; done`;

function jobOf(name: string, pod: object, spec: object): object {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, labels: { app: 'lossledger' } },
    spec: { ...spec, template: { metadata: { labels: { app: 'lossledger' } }, spec: pod } },
  };
}

/** A pod of one container without rights, that sees the run. */
function podOf(place: string, { image = `lossledger:${version}`, claim = 'lossledger', secret = 'lossledger-s3' }: KubernetesOptions, own: object): object {
  const scratch = { name: 'scratch', emptyDir: {} };
  const shared = { name: 'run', persistentVolumeClaim: { claimName: claim } };
  const mounts = [{ name: 'scratch', mountPath: '/tmp' }];
  const container = {
    name: 'lca',
    image,
    ...own,
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    ...(isRemote(place) ? { envFrom: [{ secretRef: { name: secret } }] } : {}),
    volumeMounts: isRemote(place) ? mounts : [...mounts, { name: 'run', mountPath: dirname(place) }],
  };
  return {
    restartPolicy: 'Never',
    // A worker that is told to go finishes its segment.
    terminationGracePeriodSeconds: 120,
    securityContext: { runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000 },
    containers: [container],
    volumes: isRemote(place) ? [scratch] : [scratch, shared],
  };
} // prettier-ignore

function resources(processors: number, bytes: number): object {
  const memory = `${Math.ceil(bytes / 2 ** 20)}Mi`;
  return { requests: { cpu: String(processors), memory }, limits: { memory } };
}

/** The name of a run as Kubernetes allows it: lower-case letters, digits and dashes. */
function nameOf(place: string): string {
  const own = place.split('/').findLast((part) => part !== '') ?? '';
  const plain = own.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').slice(0, 40).replaceAll(/^-+|-+$/g, ''); // prettier-ignore
  return `lca-${plain || 'run'}`;
}

/** What Kubernetes takes as the name of a thing: DNS-1123. */
const thing = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
/** `REGISTRY:PORT/NAME:TAG@DIGEST`, all but one name left out or not. */
const imageName = /^[a-zA-Z0-9][\w.-]*(:\d+)?(\/[a-z0-9][\w.-]*)*(:[\w.-]+)?(@sha256:[0-9a-f]{64})?$/;

/** Throws UsageError for names that Kubernetes would refuse, some of them only when it is to start pods. */
function requireNames({ image, claim, secret }: KubernetesOptions): void {
  const letters = 'a name of lower-case letters, digits, dots and hyphens';
  const given = [
    ['image', image, imageName, 'a container image, such as REGISTRY/lossledger:0.1.0', 'deploy/README.md says how one is made'],
    ['claim', claim, thing, letters, 'kubectl get pvc lists the claims that there are'],
    ['secret', secret, thing, letters, 'kubectl get secrets lists those that there are'],
  ] as const; // prettier-ignore
  for (const [option, name, pattern, expected, remedy] of given) {
    if (name === undefined || pattern.test(name)) continue;
    throw new UsageError({ given: `--${option} ${JSON.stringify(name)}`, expected, remedy });
  }
}

function nothingMissing(folder: string): UsageError {
  return new UsageError({
    given: `${folder}, all of whose tasks have their parts`,
    expected: 'a plan with tasks that are missing',
    remedy: `append them: lca merge ${folder}`,
  });
}
