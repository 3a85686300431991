import type {
  LedgerView,
  MeasuredSplit,
  ParameterLayout,
  SplitLedger,
  TensorSpan,
} from '../../src/ledger/types.js';

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
  /** Whether validation was measured; default true. */
  readonly validation?: boolean;
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

function layoutOf(layers: Readonly<Record<string, number>>): ParameterLayout {
  const names = Object.keys(layers);
  let offset = 0;
  const tensors = names.map((layer): TensorSpan => {
    const size = layers[layer]!;
    const span = { name: `${layer}.weight`, shape: [size], layer, neuronAxis: null, offset, size };
    offset += size;
    return span;
  });
  return { size: offset, tensors, layers: names, neurons: names.map(() => 0) };
}

/** Loss that falls like a trained network's; validation rises again at the end. */
function lossCurve(split: MeasuredSplit, progress: number): number {
  const fallen = 0.05 + 2.28 * Math.exp(-9 * Math.sqrt(progress));
  return split === 'train' ? fallen : fallen + 0.09 * progress;
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

interface Recorder extends SplitLedger {
  readonly row: (segment: number) => Float64Array;
}

function recordSegment(ledger: Recorder, layout: ParameterLayout, segment: number): number {
  const row = ledger.row(segment);
  let total = 0;
  layout.tensors.forEach((tensor, layer) => {
    const at = segment * layout.layers.length + layer;
    for (let i = tensor.offset; i < tensor.offset + tensor.size; i++) {
      const value = row[i]!;
      ledger.layerSums[at] = ledger.layerSums[at]! + value;
      const counts = value < 0 ? ledger.helping : value > 0 ? ledger.hurting : ledger.zero;
      counts[at] = counts[at]! + 1;
    }
    total += ledger.layerSums[at]!;
  });
  return total;
}

function recordSplit(
  name: MeasuredSplit,
  layout: ParameterLayout,
  options: Required<SyntheticOptions>,
): Recorder {
  const segments = options.segments;
  const cells = segments * layout.layers.length;
  const seed = name === 'train' ? 0 : 1_000_003;
  const row = (segment: number): Float64Array =>
    drawRow(layout, seed + segment, {
      change: lossCurve(name, (segment + 1) / segments) - lossCurve(name, segment / segments),
      zeros: Math.round(options.zeroShare * layout.size),
      hurting: new Set(options.hurtingLayers),
    });
  const ledger: Recorder = {
    row,
    loss: new Float64Array(segments + 1),
    residual: new Float64Array(segments),
    leftResidual: new Float64Array(segments),
    layerSums: new Float64Array(cells),
    helping: new Int32Array(cells),
    hurting: new Int32Array(cells),
    zero: new Int32Array(cells),
  };
  const noise = uniforms(seed + 77);
  ledger.loss[0] = segments > 0 ? lossCurve(name, 0) : NaN;
  for (let t = 0; t < segments; t++) {
    const total = recordSegment(ledger, layout, t);
    ledger.residual[t] = options.residual * normal(noise) + options.leak;
    ledger.leftResidual[t] = -0.004 * Math.exp(normal(noise) - (2 * t) / segments);
    ledger.loss[t + 1] = ledger.loss[t]! + total - ledger.residual[t]!;
  }
  return ledger;
}

/** Rows as stored: rounded to float32, at an offset inside a larger buffer as a store may hand them out. */
async function* storedRows(ledger: Recorder, segments: number): AsyncGenerator<Float32Array> {
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
  validation: true,
  hurtingLayers: [],
};

/** A ledger that never saw a network: heavy-tailed, 20 % exact zeros, deterministic, and conservative by construction. */
export function syntheticView(given: SyntheticOptions = {}): LedgerView {
  const options = { ...defaults, ...given };
  const layout = layoutOf(options.layers);
  const splits = {
    train: recordSplit('train', layout, options),
    validation: options.validation ? recordSplit('validation', layout, options) : null,
  };
  const subintervals = Int32Array.from({ length: options.segments }, (_, t) => (t < 12 ? 2 ** (t % 3) : 1));
  return {
    segments: options.segments,
    iteration: Int32Array.from({ length: options.segments + 1 }, (_, t) => t * options.stride),
    layout,
    unit: 'nats',
    rule: 'simpson',
    tolerance: 0.001,
    subintervals,
    evaluations: subintervals.map((count) => 2 * count + 1),
    split: (name) => splits[name],
    neuronRows: () => null,
    allocationRows: (name) => {
      const ledger = splits[name];
      return ledger && options.keepAllocations ? storedRows(ledger, options.segments) : null;
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
