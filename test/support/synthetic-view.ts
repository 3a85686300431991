import type { ColumnNumbers, SmallColumnName } from '../../src/ledger/columns.js';
import { layoutOf } from '../../src/ledger/layout.js';
import type { Numbers, ParameterLayout } from '../../src/ledger/types.js';
import type { LedgerView } from '../../src/ledger/view.js';

/** What a synthetic ledger looks like. */
export interface SyntheticOptions {
  /** T; default 880. */
  readonly segments?: number;
  /** Parameters of each layer, keyed by layer name; default three layers with 2,000, 400 and 100. */
  readonly layers?: Readonly<Record<string, number>>;
  /** Share of parameters whose allocation is exactly zero in every segment; default 0.2, all in the first layers. */
  readonly zeroShare?: number;
  /** Size of the residuals in nats; default 3e-6. */
  readonly residual?: number;
  /** Adds to every residual, so that the ledger does not balance; default 0 nats. */
  readonly leak?: number;
  /** Iterations between two rows of the trajectory; default 1. */
  readonly stride?: number;
  /** Whether allocation rows can be read; default true. */
  readonly keepAllocations?: boolean;
  /** Names of the objectives; default `train` and `validation`. */
  readonly objectives?: readonly string[];
  /** Layers whose allocations have the opposite sign, so that they hurt; default none. */
  readonly hurtingLayers?: readonly string[];
}

/** Deterministic generator of numbers in [0, 1) (a 32-bit Weyl sequence with a mixing function). */
function uniforms(seed: number): () => number {
  let state = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x85ebca6b) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A standard normal number (Box and Muller). */
function normal(next: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

function layoutOfSizes(layers: Readonly<Record<string, number>>): ParameterLayout {
  return layoutOf(
    Object.entries(layers).map(([layer, size]) => ({
      name: `${layer}.weight`,
      shape: [size],
      layer,
      neuronAxis: null,
    })),
  );
}

/** Loss that falls like a trained network's; every further objective rises again at the end, more than the one before. */
function lossCurve(objective: number, progress: number): number {
  return 0.05 + 2.28 * Math.exp(-9 * Math.sqrt(progress)) + 0.09 * objective * progress;
}

interface Target {
  readonly change: number;
  readonly zeros: number;
  readonly hurting: ReadonlySet<string>;
}

/** Heavy-tailed allocations [K] (log-normal magnitudes, 53 % helping) that sum to about `target.change`. */
function drawRow(layout: ParameterLayout, seed: number, target: Target): Float64Array {
  const next = uniforms(seed);
  const row = new Float64Array(layout.size);
  let helping = 0;
  let hurting = 0;
  for (const tensor of layout.tensors) {
    const sign = target.hurting.has(tensor.layer) ? -1 : 1;
    for (let i = tensor.offset; i < tensor.offset + tensor.size; i++) {
      const magnitude = Math.exp(2.5 * normal(next));
      const direction = next() < 0.53 ? -sign : sign;
      if (i < target.zeros) continue;
      row[i] = direction * magnitude;
      if (direction < 0) helping += magnitude;
      else hurting += magnitude;
    }
  }
  const scale = (4 * Math.abs(target.change) + 1e-4) / (helping + hurting);
  const pull = (hurting * scale - target.change) / (helping * scale);
  return row.map((value) => (value < 0 ? value * scale * pull : value * scale));
}

type CertaintyColumn = 'undetermined' | 'undetermined_helping' | 'unresolved' | 'layer_error';

/** Small columns of one objective. */
type OwnColumns = {
  [
    N in Exclude<SmallColumnName, 'part_loss' | 'subintervals' | 'evaluations' | CertaintyColumn>
  ]: ColumnNumbers<N>;
};

interface Recorded {
  readonly columns: OwnColumns;
  /** Allocations [K] of a segment. */
  readonly row: (segment: number) => Float64Array;
}

/** Counts and sums a segment's allocations [K] into the columns. */
function recordSegment(
  columns: OwnColumns,
  row: Float64Array,
  layout: ParameterLayout,
  segment: number,
): void {
  layout.tensors.forEach((tensor, layer) => {
    const at = segment * layout.layers.length + layer;
    for (let i = tensor.offset; i < tensor.offset + tensor.size; i++) {
      const value = row[i]!;
      columns.layer_sums[at]! += value;
      columns[value < 0 ? 'helping' : value > 0 ? 'hurting' : 'zero'][at]!++;
    }
    columns.total[segment]! += columns.layer_sums[at]!;
  });
}

function emptyColumns(segments: number, layers: number): OwnColumns {
  return {
    loss: new Float64Array(segments + 1),
    layer_sums: new Float64Array(segments * layers),
    total: new Float64Array(segments),
    residual: new Float64Array(segments),
    left_residual: new Float64Array(segments),
    helping: new Int32Array(segments * layers),
    hurting: new Int32Array(segments * layers),
    zero: new Int32Array(segments * layers),
  };
}

function recordObjective(
  index: number,
  layout: ParameterLayout,
  options: Required<SyntheticOptions>,
): Recorded {
  const { segments } = options;
  const seed = index * 1_000_003;
  const row = (segment: number): Float64Array =>
    drawRow(layout, seed + segment, {
      change: lossCurve(index, (segment + 1) / segments) - lossCurve(index, segment / segments),
      zeros: Math.round(options.zeroShare * layout.size),
      hurting: new Set(options.hurtingLayers),
    });
  const columns = emptyColumns(segments, layout.layers.length);
  const { loss, total, residual, left_residual: leftResidual } = columns;
  const noise = uniforms(seed + 77);
  loss[0] = segments > 0 ? lossCurve(index, 0) : NaN;
  for (let t = 0; t < segments; t++) {
    recordSegment(columns, row(t), layout, t);
    residual[t] = options.residual * normal(noise) + options.leak;
    leftResidual[t] = -0.004 * Math.exp(normal(noise) - (2 * t) / segments);
    loss[t + 1] = loss[t]! + total[t]! - residual[t]!;
  }
  return { columns, row };
}

/** Rows as stored: rounded to float32, at an offset inside a larger buffer as a store may hand them out. */
async function* storedRows(ledger: Recorded, segments: number): AsyncGenerator<Float32Array> {
  for (let t = 0; t < segments; t++) {
    const row = ledger.row(t);
    const padded = new Float32Array(row.length + 3);
    padded.set(row, 3);
    yield await Promise.resolve(padded.subarray(3));
  }
}

const defaults: Required<SyntheticOptions> = {
  segments: 880,
  layers: { fc1: 2000, fc2: 400, fc3: 100 },
  zeroShare: 0.2,
  residual: 3e-6,
  leak: 0,
  stride: 1,
  keepAllocations: true,
  objectives: ['train', 'validation'],
  hurtingLayers: [],
};

/** A ledger that never saw a network: heavy-tailed, 20 % exact zeros, deterministic, and conservative by construction. */
export function syntheticView(given: SyntheticOptions = {}): LedgerView {
  const options = { ...defaults, ...given };
  const layout = layoutOfSizes(options.layers);
  const { segments } = options;
  const recorded = new Map(
    options.objectives.map((name, index) => [name, recordObjective(index, layout, options)] as const),
  );
  const subintervals = Int32Array.from({ length: segments }, (_, t) => (t < 12 ? 2 ** (t % 3) : 1));
  const shared = { subintervals, evaluations: subintervals.map((count) => 2 * count + 1) };
  return {
    segments,
    iteration: Int32Array.from({ length: segments + 1 }, (_, t) => t * options.stride),
    layout,
    objectives: options.objectives.map((name) => ({ name, parts: [name] })),
    components: [],
    unit: 'nats',
    rule: 'simpson',
    tolerance: 0.001,
    certify: null,
    has: (name, objective) => name in (objective === undefined ? shared : recorded.get(objective)!.columns),
    column: <N extends SmallColumnName>(name: N, objective?: string) => {
      const columns = objective === undefined ? shared : recorded.get(objective)?.columns;
      const numbers = (columns as Partial<Record<SmallColumnName, Numbers>> | undefined)?.[name];
      if (!numbers) throw new Error(`no column ${name} of ${objective ?? 'the run'}`);
      return numbers as ColumnNumbers<N>;
    },
    rows: (name, objective) => {
      const ledger = recorded.get(objective ?? '');
      if (name !== 'allocation' || !ledger || !options.keepAllocations) return null;
      return { [Symbol.asyncIterator]: () => storedRows(ledger, segments) };
    },
  };
}

/** The same ledger with some columns of one objective replaced. */
export function withColumns(
  view: LedgerView,
  objective: string,
  replaced: { readonly [N in SmallColumnName]?: ColumnNumbers<N> },
): LedgerView {
  return {
    ...view,
    has: (name, of) => (of === objective && replaced[name] !== undefined) || view.has(name, of),
    column: <N extends SmallColumnName>(name: N, of?: string) => {
      const numbers = of === objective ? replaced[name] : undefined;
      return numbers ?? view.column(name, of);
    },
  };
}

/** A run that was created but has measured nothing, not even its first loss. */
export const emptyView = (): LedgerView => syntheticView({ segments: 0 });

/** A run of a single segment. */
export const singleSegmentView = (): LedgerView => syntheticView({ segments: 1 });

/** 5,000 segments and 60 layers; only sums were kept. The first and last layer hurt. */
export function hugeView(): LedgerView {
  const names = Array.from({ length: 60 }, (_, i) => `stage${Math.floor(i / 20) + 1}.block${i % 20}.conv`);
  return syntheticView({
    segments: 5000,
    layers: Object.fromEntries(names.map((name) => [name, 8])),
    zeroShare: 0,
    keepAllocations: false,
    hurtingLayers: [names[0]!, names.at(-1)!],
  });
}

/** A run of four segments of one objective in which no parameter moved, so that every allocation is exactly zero. */
export function stillView(): LedgerView {
  const view = syntheticView({ segments: 4, objectives: ['train'] });
  const { size, layers, tensors } = view.layout;
  const sizes = tensors.map((tensor) => tensor.size);
  const zeros = () => new Float64Array(4);
  return {
    ...withColumns(view, 'train', {
      loss: new Float64Array(5).fill(1.231098),
      layer_sums: new Float64Array(4 * layers.length),
      total: zeros(),
      residual: zeros(),
      left_residual: zeros(),
      helping: new Int32Array(4 * layers.length),
      hurting: new Int32Array(4 * layers.length),
      zero: Int32Array.from({ length: 4 * layers.length }, (_, k) => sizes[k % layers.length]!),
    }),
    rows: (name) =>
      name === 'allocation'
        ? { async *[Symbol.asyncIterator]() { for (let t = 0; t < 4; t++) yield await Promise.resolve(new Float32Array(size)); } }
        : null,
  }; // prettier-ignore
}
