import type { Examples } from '../data/types.js';
import type { StatisticsKind } from '../graph/statistics.js';
import type { Graph } from '../graph/types.js';
import type { AtomStrip } from '../ledger/types.js';
import type { Masks } from './feeds.js';
import type { L2Term } from '../optim/l2.js';
import {
  type CellPartition, type Chunk, type Lane, lanesOf, type ProgramKind, programKinds, sizeOfChunk,
} from './chunks.js'; // prettier-ignore

/** A subset of an objective's examples whose loss and gradient are kept apart. */
export interface PlannedPart {
  readonly name: string;
  /** What it is a part by, such as `class`: the parts by one thing add up to the whole. Null: the penalty, which each of them needs. */
  readonly by: string | null;
  /** Its examples, or labels of them. */
  readonly examples: number;
  /** Name of the part whose examples of one block it has; null or left out: it is no block of a part. */
  readonly blockOf?: string | null;
  /** The cells that it is made of. */
  readonly cells: readonly number[];
}

/** One way in which examples fall into parts. */
export interface Partition {
  readonly by: string;
  readonly names: readonly string[];
  /** Where its parts are the blocks of another partition's: that one, and whose block each is, by its name there. */
  readonly blocksOf?: { readonly by: string; readonly names: readonly string[] };
  /** Labels of an example that it tells apart; default 1. */
  readonly rows?: number;
  /** Part of each example [count], or of each of its labels [count · rows]; −1: of none, which labels may be that do not count. */
  readonly partOf: Int32Array;
}

/** How an objective's examples are divided. */
export interface Division extends CellPartition {
  readonly parts: readonly PlannedPart[];
}

/** A named mean loss over examples. */
export interface PlannedObjective {
  readonly name: string;
  readonly examples: Examples;
  /** What the sum over all examples is divided by; default their number. */
  readonly divisor?: number;
  /** Default: not divided. */
  readonly division?: Division | null;
  /** Whose statistics batch normalisation uses; default those of each chunk. */
  readonly statistics?: StatisticsKind;
}

/** What is evaluated: fixed data, partition and network. Equal plans give bit-identical evaluations. */
export interface ObjectivePlan {
  readonly engine: string;
  /** K */
  readonly size: number;
  /** In the order of the results. */
  readonly objectives: readonly PlannedObjective[];
  /** Examples of a chunk. */
  readonly chunk: number;
  /** Lanes of each objective. */
  readonly lanes: number;
  /** Added to each objective's mean loss and gradient; default none. */
  readonly penalty?: L2Term | null;
  /** Loss-and-gradient graph for a chunk of so many examples; `masked`: of examples that do not all count. */
  readonly gradientGraph: (examples: number, masked: boolean, statistics?: StatisticsKind) => Graph;
  /** How graphs are told what does not count; default one number an example. */
  readonly masks?: Masks;
  /** What slopes of parts are summed over; default nothing. */
  readonly strips?: readonly AtomStrip[];
  /** Whether the parts' gradients are kept, too. Default false. */
  readonly keepsPartGradients?: boolean;
}

/** The lanes of all objectives, in order. */
export function planLanes({ objectives, chunk, lanes }: ObjectivePlan): Lane[] {
  return objectives.flatMap(({ examples, division, statistics }, index) =>
    lanesOf(
      index,
      { count: examples.count, cells: division, running: statistics === 'running' },
      chunk,
      lanes,
    ),
  );
}

/** What workers need of a division. */
export function cellsOf(division: Division | null | undefined): CellPartition | null {
  if (!division) return null;
  const { layers, rows = 1, count, kind } = division;
  return { layers, rows, count, kind };
}

/** The gradient graph of a kind of program. */
export function graphOfKind(
  plan: ObjectivePlan,
  { examples, masked, shared, statistics }: ProgramKind,
): Graph {
  const graph = plan.gradientGraph(examples, masked, statistics);
  return shared ? { ...graph, varied: 'included' } : graph;
}

/** Of a run of loss and gradient, what the backward pass alone takes. */
const backwardShare = 2 / 3;

/** Programs that evaluating a plan needs, and how many examples they are fed in all, those of a backward pass alone by their share of the work. */
export function programsOf(plan: ObjectivePlan): { kinds: readonly ProgramKind[]; fed: number } {
  const lanes = planLanes(plan);
  const chunks = lanes.flatMap(({ pieces }) => pieces.flatMap((piece) => piece.chunks));
  return {
    kinds: [...programKinds(lanes).values()],
    fed: Math.round(chunks.reduce((total, chunk) => total + sizeOfChunk(chunk) * shareOf(chunk), 0)),
  };
}

function shareOf({ shared, cell, rest }: Chunk): number {
  if (!shared || cell === undefined) return 1;
  return rest ? 0 : backwardShare;
}
