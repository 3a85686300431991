import * as z from 'zod';
import { type Accuracy, type AccuracyFinding, accuracyRows, withCertain } from '../analysis/use/accuracy.js';
import { defaultWorkers } from '../engines/registry.js';
import { isLossledgerError } from '../errors.js';
import { silent, withProgress, type WorkControl } from '../experiment/control.js';
import { type Experiment, objectivePlan } from '../experiment/experiment.js';
import { errorGraph } from '../experiment/graphs.js';
import { manifestName } from '../format/context.js';
import type { RunReader } from '../format/reader.js';
import { Evaluator } from '../objective/evaluator.js';
import { exampleMasks } from '../objective/feeds.js';
import type { ObjectivePlan, PlannedObjective } from '../objective/plan.js';
import type { Threads } from '../objective/threads.js';
import type { RunFolder } from '../store/folder.js';
import { storeResult } from '../store/place.js';

const fileName = 'analysis/accuracy.json';

const shares = z.array(z.number().min(0).max(1));
const counts = z.array(z.number().int().nonnegative());
const finding = z.union([
  z.strictObject({ missing: z.string() }),
  z.strictObject({
    rows: counts,
    iteration: counts,
    objectives: z.array(z.strictObject({ name: z.string(), labels: z.number().positive(), share: shares })),
  }),
]);
const stored = z.strictObject({
  format: z.literal('lossledger-accuracy'),
  version: z.literal(1),
  /** SHA-256 of the manifest of the run, and of the finding as JSON, hex. */
  manifest: z.string(),
  sha256: z.string(),
  finding,
});

/** What an accuracy is computed with. */
interface AccuracyControl extends WorkControl {
  /** Worker threads; default one per core. */
  readonly workers?: number | undefined;
  /** Where they come from and go to; default new ones. */
  readonly threads?: Threads | undefined;
}

/**
 * The accuracy of a run at some of its rows of θ, on the examples that its losses are measured on, or why there is none. Throws where the run
 * cannot be read, and what stops it.
 */
export async function measureAccuracy(
  experiment: Experiment,
  run: RunFolder,
  control: AccuracyControl = {},
): Promise<AccuracyFinding> {
  const measured = experiment.objectives.map(({ name, counted, statistics }) => ({ name, examples: counted, statistics }));
  const plan = errorPlan(experiment, measured);
  if (plan === null) return { missing: noClasses(experiment)! };
  const thetas = accuracyRows(run.status.iterations);
  try {
    const workers = control.workers ?? defaultWorkers(experiment.engine);
    const errors = await evaluateRows(plan, run, thetas, { ...control, workers });
    const { iteration } = run.manifest.trajectory;
    return {
      rows: thetas,
      iteration: thetas.map((row) => iteration?.[row] ?? row),
      objectives: plan.objectives.map(({ name, divisor }, o) => {
        return { name, labels: divisor!, share: errors.map((row) => 1 - row[o]!) };
      }),
    };
  } catch (error) {
    if (!isLossledgerError(error) || error.tag !== 'engine') throw error;
    return { missing: `the engine cannot count errors: ${error.message}` };
  }
} // prettier-ignore

/** Why labels are neither right nor wrong; null where they are. */
function noClasses({ config, objectives }: Experiment): string | null {
  if (config.loss === 'softmaxCrossEntropy') return null;
  if (config.loss !== 'sigmoidCrossEntropy') return notClasses(config.loss);
  const hard = objectives.every(({ counted }) => counted.labels.every((label) => label === 0 || label === 1));
  return hard ? null : 'labels are shares between 0 and 1, which are neither right nor wrong';
}

const notClasses = (loss: string): string =>
  loss === 'squaredError'
    ? 'the loss is a squared error, and its targets are no classes'
    : 'the program or network that computes the loss does not say what is right';

/** The plan by which a loss is the share of labels that are wrong; null where labels are neither right nor wrong. */
export function errorPlan(experiment: Experiment, objectives: readonly PlannedObjective[]): ObjectivePlan | null {
  if (noClasses(experiment) !== null) return null;
  const { ignored } = experiment.dataset.labelling;
  return {
    ...objectivePlan(experiment),
    objectives: objectives.map(({ name, examples, statistics }) => {
      let divisor = 0;
      for (const label of examples.labels) if (label !== ignored) divisor++;
      return { name, examples, divisor, ...(statistics === undefined ? {} : { statistics }) };
    }),
    penalty: null,
    masks: exampleMasks,
    strips: [],
    keepsPartGradients: false,
    gradientGraph: (examples, _, statistics) => errorGraph(experiment, examples, statistics),
  };
} // prettier-ignore

/** Shares of wrong labels [rows][objectives]. */
async function evaluateRows(
  plan: ObjectivePlan,
  run: RunFolder,
  thetas: readonly number[],
  { workers, threads, progress = silent, signal }: AccuracyControl & { readonly workers: number },
): Promise<number[][]> {
  const evaluator = await Evaluator.start(plan, workers, threads);
  const evaluate = async (row: number): Promise<number[]> => {
    const evaluated = await evaluator.evaluate(Float64Array.from(await run.theta(row)), [], 'loss');
    return evaluated.map(({ loss }) => Math.min(1, Math.max(0, loss)));
  };
  // Some rows ahead, so that workers need not wait for the next.
  const underWay: Promise<number[]>[] = [];
  const begin = (row: number): void => {
    const evaluated = evaluate(row);
    // Whoever awaits it sees the error, unless one before it ends the work.
    evaluated.catch(() => undefined);
    underWay.push(evaluated);
  };
  const results: number[][] = [];
  try {
    await withProgress(progress, { total: thetas.length }, async () => {
      for (const [k, row] of thetas.entries()) {
        begin(row);
        while (underWay.length > (k === thetas.length - 1 ? 0 : evaluator.inFlight)) {
          results.push(await underWay.shift()!);
          progress.update(results.length);
          signal?.throwIfAborted();
        }
      }
    });
  } finally {
    await evaluator.close();
  }
  return results;
}

/** The accuracy of a run that is measured whole: what is stored of it, or else computed and stored. */
export async function storeAccuracy(
  experiment: Experiment,
  run: RunFolder,
  control: AccuracyControl = {},
): Promise<AccuracyFinding> {
  const known = await readStored(run);
  if (known !== null) return known;
  const found = await measureAccuracy(experiment, run, control);
  const content: z.input<typeof stored> = {
    format: 'lossledger-accuracy',
    version: 1,
    manifest: await manifestDigest(run),
    sha256: digestOf(run, found),
    finding: JSON.parse(JSON.stringify(found)) as z.input<typeof finding>,
  };
  await storeResult(run.folder, fileName, `${JSON.stringify(content)}\n`);
  return found;
}

/** The accuracy that is stored in a run, as far as its losses [T + 1] by objective do not show another, or why there is none. */
export async function storedAccuracy(
  run: RunReader & { readonly folder: string },
  lossOf: (name: string) => ArrayLike<number>,
): Promise<AccuracyFinding> {
  const { loss, classWeights } = run.manifest.config as { readonly loss?: string; readonly classWeights?: unknown };
  const isClassifier = loss === 'softmaxCrossEntropy' || loss === 'sigmoidCrossEntropy';
  if (run.manifest.config['process'] || !isClassifier) return { missing: notClasses(String(loss)) };
  const found = (await readStored(run)) ?? {
    missing: `it was not computed when the run was measured; lca report ${run.folder} --accuracy does it, where the data are`,
  };
  // A weight of 0 makes losses 0 whatever is named.
  return loss === 'softmaxCrossEntropy' && !classWeights ? withCertain(found, lossOf) : found;
} // prettier-ignore

/** What is stored of a run; null where that is nothing, of another run, or damaged. */
async function readStored(run: RunReader): Promise<AccuracyFinding | null> {
  const bytes = await run.context.source.get(fileName);
  if (bytes === undefined) return null;
  const { success, data } = stored.safeParse(parsed(bytes));
  if (!success || data.manifest !== (await manifestDigest(run))) return null;
  if (data.sha256 !== digestOf(run, data.finding)) return null;
  return 'missing' in data.finding ? data.finding : fitting(data.finding, run);
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

/** An accuracy that is of the rows that such a run has; else null. */
function fitting(accuracy: Accuracy, { status }: RunReader): Accuracy | null {
  const { rows, iteration, objectives } = accuracy;
  const lengths = [iteration.length, ...objectives.map(({ share }) => share.length)];
  const fits = lengths.every((length) => length === rows.length) && rows.at(-1) === status.iterations;
  return fits ? accuracy : null;
}

const digestOf = ({ context }: RunReader, found: AccuracyFinding): string =>
  context.digest(new TextEncoder().encode(JSON.stringify(found)));

async function manifestDigest({ context }: RunReader): Promise<string> {
  const bytes = await context.source.get(manifestName);
  return bytes === undefined ? '' : context.digest(bytes);
}
