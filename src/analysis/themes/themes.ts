import type { LedgerView } from '../../ledger/view.js';
import { heldOutOf, parametersOnly } from '../parameters-only.js';
import { dividedByOneThing, kindsOf } from '../parts/one-kind.js';
import type { RunExtent } from '../summary.js';
import { checkView, requireSegments } from '../checks.js';
import { watchLayers } from '../layers/layers.js';
import { watchNeurons } from '../neurons/neurons.js';
import { watchNoise } from '../noise/noise.js';
import { watchOscillation } from '../oscillation/turns.js';
import { watchSynchrony } from '../synchrony/synchrony.js';
import { watchTails } from '../tails/tails.js';
import { watchTrajectories } from '../trajectories/trajectories.js';
import { watchUse } from '../use/use.js';
import { type ThemeName, themeNames } from './names.js';
import {
  type RowProgress,
  type StreamName,
  streamsOf,
  summing,
  sweep,
  type ThetaRows,
  type ThemeContext,
  type Watcher,
} from './sweep.js';

/** Of each theme, what starts to watch a run. */
const watchers = {
  noise: watchNoise,
  tails: watchTails,
  oscillation: watchOscillation,
  layers: watchLayers,
  synchrony: watchSynchrony,
  neurons: watchNeurons,
  trajectories: watchTrajectories,
  use: watchUse,
} as const satisfies Readonly<Record<ThemeName, (context: ThemeContext) => Watcher<unknown>>>;

/** A record for each theme that was asked for; null in it or inside it where the run did not keep what it needs. */
export type ThemeRecords = {
  readonly [N in ThemeName]?: ReturnType<ReturnType<(typeof watchers)[N]>['finish']>;
};

/** The themes of one run in one JSON-serialisable record. */
export interface ThemeAnalyses extends ThemeRecords {
  readonly format: 'lossledger-analyses';
  readonly version: 1;
  readonly segments: number;
  /** Of training that the segments span: more than they are where rows of θ are further apart than one step. */
  readonly iterations: number;
  readonly parameters: number;
  readonly objective: string;
  /** Of losses and allocations. */
  readonly unit: string;
  /** What parts are parts by, such as `class`, where themes tell them apart; null where the objective is not divided, or it is not known. */
  readonly partsBy: string | null;
  /** What could not be said, and why. */
  readonly missing: readonly string[];
}

export interface ThemeOptions extends RunExtent {
  /** Default: all. */
  readonly only?: readonly ThemeName[];
  /** Rows of θ [T + 1][K], for what needs weights, such as `run.array('theta').rows`; called once a pass. */
  readonly theta?: ThetaRows;
  /** Shape of one example, such as [1, 28, 28]: where it is an image, saliency is laid out as one. */
  readonly exampleShape?: readonly number[];
  readonly onProgress?: RowProgress;
}

/** What a run must have kept for the rest of a theme. */
const needs: readonly (readonly [StreamName, readonly ThemeName[], string])[] = [
  ['allocation', ['noise', 'tails', 'neurons', 'trajectories', 'use'], 'single parameters: allocations were not kept by parameter (keep: parameters)'],
  ['neurons', ['trajectories', 'use'], 'neurons over time: allocations were not kept by neuron (keep: neurons)'],
  ['partLayers', ['synchrony'], 'moments of learning by class: the objective is not divided into parts (parts: class)'],
  ['partNeurons', ['neurons'], 'class specialisation of neurons: the objective is not divided into parts (parts: class)'],
  ['partAllocation', ['neurons'], 'saliency for one class alone: allocations of parts were not kept by parameter (keepParts: parameters)'],
  ['gradientSigns', ['oscillation', 'synchrony'], 'zero crossings and peaks of gradients: the rule does not evaluate them at the ends of segments (rule: simpson)'],
  ['partGradientNorms', ['synchrony'], 'peaks of gradients by class: parts were not kept by parameter (keepParts: parameters)'],
  ['theta', ['oscillation', 'neurons', 'trajectories'], 'weights over time: θ could not be read'],
]; // prettier-ignore

/** Training iterations from the first row of θ to the last. */
const spanOf = ({ iteration }: LedgerView): number => iteration.at(-1)! - iteration[0]!;

/** Themes that count along time. */
const countTime: readonly ThemeName[] = ['noise', 'oscillation', 'synchrony'];

/** Themes that tell parts apart. */
const byPart: readonly ThemeName[] = ['synchrony', 'neurons'];

/** What of a run is not in its analyses; nothing where it is whole. */
function restOf({ segments }: LedgerView, { iterations = segments, apart = 0 }: RunExtent): string[] {
  if (segments >= iterations) return [];
  const behind = apart > 0 ? `; ${apart} behind the gap are left out` : '';
  return [`the rest of the run: ${segments} of ${iterations} segments are measured without a gap${behind}`];
}

function missingOf({ view, has, heldOut }: ThemeContext, only: readonly ThemeName[], kinds: readonly string[]): string[] {
  const asked = (themes: readonly ThemeName[]): boolean => themes.some((theme) => only.includes(theme));
  return [
    ...needs.filter(([stream, themes]) => !has(stream) && asked(themes)).map(([, , text]) => text),
    ...(heldOut === null && asked(['use']) ? ['overfitting: one objective was measured (measure: train, validation)'] : []),
    ...(kinds.length > 1 && asked(byPart) ? [`parts by ${kinds.slice(1).join(', ')}: of several divisions these themes take the first, by ${kinds[0]!}`] : []),
    ...(spanOf(view) !== view.segments && asked(countTime) ? [`counts of iterations: the ${view.segments} segments span ${spanOf(view)} iterations, so what is counted in iterations is counted in segments, and what turned between two rows of θ is not seen`] : []),
  ];
} // prettier-ignore

/** Themes that need the totals of parameters. */
const needTotals: readonly ThemeName[] = ['tails', 'neurons', 'trajectories', 'use'];

/**
 * Analyses a run's main objective theme by theme; reads each large column once or twice, a row at a time, so that memory does not grow
 * with T but by what is drawn over time.
 *
 * @throws UsageError before the first segment, DataError for arrays that do not fit together, NumericError for a NaN or an infinity.
 */
export async function analyseThemes(whole: LedgerView, options: ThemeOptions = {}): Promise<ThemeAnalyses> {
  const { only = themeNames, theta = null, exampleShape = [], onProgress } = options;
  requireSegments(whole);
  checkView(whole);
  const view = dividedByOneThing(parametersOnly(whole));
  const streams = streamsOf(view, theta);
  const [main] = view.objectives;
  const heldOut = heldOutOf(view.objectives);
  const has = (stream: StreamName): boolean => streams[stream] !== undefined;
  const summed = has('allocation') && only.some((name) => needTotals.includes(name)) ? summing(view.layout.size) : null; // prettier-ignore
  const context: ThemeContext = {
    view,
    objective: main!.name,
    heldOut: heldOut?.name ?? null,
    parts: main!.parts.length > 1 ? main!.parts : [],
    exampleShape,
    has,
    totals: summed?.totals ?? null,
  };
  const named = themeNames.filter((name) => only.includes(name)).map((name) => [name, watchers[name](context)] as const); // prettier-ignore
  await sweep([...(summed ? [{ passes: [{ allocation: summed.add }], finish: () => null }] : []), ...named.map(([, watcher]) => watcher)], streams, view.segments, onProgress); // prettier-ignore
  const records = Object.fromEntries(
    named.map(([name, watcher]) => [name, watcher.finish()]),
  ) as ThemeRecords;
  const { segments, layout, unit } = view;
  const kinds = kindsOf(whole.objectives[0]!);
  const partsBy = context.parts.length > 0 ? (kinds[0] ?? null) : null;
  const facts = {
    segments,
    iterations: spanOf(view),
    parameters: layout.size,
    objective: main!.name,
    unit,
    partsBy,
  };
  return {
    format: 'lossledger-analyses',
    version: 1,
    ...facts,
    missing: [...restOf(view, options), ...missingOf(context, only, kinds)],
    ...records,
  };
}
