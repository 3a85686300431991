import { basename, resolve } from 'node:path';
import { studentT } from '../../analysis/statistics/t-test.js';
import { requireSegments } from '../../analysis/checks.js';
import {
  judgedBy,
  judgePruning,
  prunable,
  type PrunedBy,
  type PruningAnalysis,
  type PruningCurve,
  pruningEvidence,
  type PruningFacts,
  type PruningMethod,
  pruningMethods,
  pruningOrder,
} from '../../analysis/use/pruning.js';
import { defaultWorkers } from '../../engines/registry.js';
import { UsageError } from '../../errors.js';
import { type ProgressSink, silent, withProgress } from '../../experiment/control.js';
import { type Experiment, objectivePlan } from '../../experiment/experiment.js';
import { divisorOf } from '../../experiment/loss/loss.js';
import { experimentOf } from '../../experiment/manifest.js';
import { objectiveName } from '../../experiment/objectives/divide.js';
import type { Places } from '../../experiment/places.js';
import { Evaluator } from '../../objective/evaluator.js';
import type { ObjectivePlan } from '../../objective/plan.js';
import type { RunFolder } from '../../store/folder.js';
import { errorPlan } from '../accuracy.js';
import type { Findings } from '../figure-files.js';

/** How a run is pruned. */
export interface PruneOptions {
  readonly to: PruningAnalysis['to'];
  readonly scope: PruningAnalysis['scope'];
  /** Shares removed; 0 is added. */
  readonly shares: readonly number[];
  /** Random orders. */
  readonly draws: number;
  readonly workers?: number | undefined;
  readonly places?: Places;
  readonly progress?: ProgressSink;
  readonly signal?: AbortSignal;
}

/** A network with some weights removed. */
interface Pruned {
  readonly method: PruningMethod;
  readonly draw: number;
  /** θ [K] with the first `share` of the order removed, for each share. */
  readonly theta: (share: number) => Float64Array;
}

/**
 * Removes the weights of a run's last θ, of an unfinished one that up to which it is measured without a gap, by allocation, magnitude and at random, and evaluates what is left on whole sets of its data.
 *
 * @throws UsageError where single parameters' allocations were not kept, StoreError and DataError as opening the run does.
 */
export async function pruneRun(run: RunFolder, options: PruneOptions): Promise<PruningAnalysis> {
  const { to, scope, draws } = options;
  const facts = await factsOf(run);
  const experiment = await experimentOf(run, options.places);
  const indices = prunable(facts.layout);
  const shares = [...new Set([0, ...options.shares])].sort((a, b) => a - b);
  const start = to === 'start' ? await run.theta(0) : new Float32Array(facts.layout.size);
  const variants = pruningMethods.flatMap((method) =>
    Array.from({ length: method === 'random' ? draws : 1 }, (_, draw): Pruned => {
      const orders = groupsOf(indices, facts, scope).map((group) => pruningOrder(group, method, facts, draw));
      return { method, draw, theta: (share) => removed(facts.theta, start, orders, share) };
    }),
  );
  const methods = await evaluateAll(experiment, variants, shares, options);
  const trained = experiment.objectives.map(({ statistics }) => objectiveName('train', statistics));
  const judged = judgedBy(methods, new Set(trained));
  const { unit } = run.manifest.definition;
  return {
    format: 'lossledger-pruning',
    version: 1,
    run: basename(resolve(run.folder)),
    segments: facts.segments,
    iterations: run.status.iterations,
    unit,
    objective: run.manifest.objectives[0]!.name,
    to,
    scope,
    weights: indices.length,
    shares,
    methods,
    evidence: pruningEvidence(indices, facts),
    judged,
    verdicts: judgePruning(methods, shares, judged, await studentT()),
  };
}

/** Totals of all parameters over the segments that are measured without a gap, how many these are, and θ behind them. */
async function factsOf(run: RunFolder): Promise<PruningFacts & { readonly segments: number }> {
  const view = await run.view();
  requireSegments(view);
  const rows = view.rows('allocation', view.objectives[0]!.name);
  if (rows === null) {
    throw new UsageError({
      given: `${run.folder}, which keeps no allocations of single parameters`,
      expected: 'a run with keep: parameters',
      remedy: 'measure it with --keep parameters',
    });
  }
  const totals = new Float64Array(view.layout.size);
  for await (const row of rows) for (let k = 0; k < totals.length; k++) totals[k]! += row[k]!;
  return { layout: view.layout, totals, theta: await run.theta(view.segments), segments: view.segments };
}

/** What is ordered together: all weights, or those of each layer. */
function groupsOf(indices: Uint32Array, { layout }: PruningFacts, scope: PruneOptions['scope']): Uint32Array[] {
  if (scope === 'all') return [indices];
  return layout.layers.map((layer) => {
    const tensors = layout.tensors.filter((own) => own.layer === layer);
    return indices.filter((k) => tensors.some(({ offset, size }) => k >= offset && k < offset + size));
  });
} // prettier-ignore

function removed(theta: Float32Array, start: Float32Array, orders: readonly Uint32Array[], share: number): Float64Array {
  const left = Float64Array.from(theta);
  for (const order of orders) {
    const count = Math.round(share * order.length);
    for (let i = 0; i < count; i++) left[order[i]!] = start[order[i]!]!;
  }
  return left;
} // prettier-ignore

/** Losses, and shares of errors where labels are classes, of all variants at all shares. */
async function evaluateAll(
  experiment: Experiment,
  variants: readonly Pruned[],
  shares: readonly number[],
  { workers = defaultWorkers(experiment.engine), progress = silent, signal }: PruneOptions,
): Promise<PrunedBy[]> {
  const losses = wholePlan(experiment);
  const errors = errorPlan(experiment, losses.objectives);
  const plans = errors === null ? [losses] : [losses, errors];
  const total = plans.length * variants.length * shares.length;
  let done = 0;
  const results: number[][][][] = [];
  await withProgress(progress, { total }, async () => {
    for (const plan of plans) {
      const evaluator = await Evaluator.start(plan, workers);
      try {
        const own: number[][][] = [];
        for (const { theta } of variants) {
          const rows: number[][] = [];
          for (const share of shares) {
            rows.push((await evaluator.evaluate(theta(share), [], 'loss')).map(({ loss }) => loss));
            progress.update(++done);
            signal?.throwIfAborted();
          }
          own.push(rows);
        }
        results.push(own);
      } finally {
        await evaluator.close();
      }
    }
  });
  return pruningMethods.map((method) => {
    const own = [...variants.keys()].filter((v) => variants[v]!.method === method);
    const values = (kind: number, o: number) => own.map((v) => results[kind]![v]!.map((row) => row[o]!));
    return {
      method,
      curves: losses.objectives.map(({ name }, o): PruningCurve => ({
        objective: name,
        losses: values(0, o),
        accuracies: errors === null ? null : values(1, o).map((curve) => curve.map((share) => 1 - share)),
      })),
    };
  });
}

/** The plan of a run's objectives on all examples of their sets, undivided. */
function wholePlan(experiment: Experiment): ObjectivePlan {
  const { config, dataset, objectives } = experiment;
  return {
    ...objectivePlan(experiment),
    objectives: objectives.map(({ name, statistics }) => {
      const set = Object.keys(dataset.splits).find((own) => objectiveName(own, statistics) === name)!;
      const examples = dataset.splits[set]!;
      return { name, examples, statistics, divisor: divisorOf(config, examples, dataset.labelling) };
    }),
    penalty: null,
  };
}

/** Pruning as files: `prune.json`, its numbers, and its figure. */
export async function pruningFindings(analysis: PruningAnalysis): Promise<Findings> {
  const { drawPruning, pruningData } = await import('../../figures/index.js');
  return {
    name: 'prune',
    record: analysis,
    tables: pruningData(analysis),
    draw: (theme) => drawPruning(analysis, theme),
  };
}
