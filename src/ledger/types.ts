/** Data sets whose loss is measured. */
export type MeasuredSplit = 'train' | 'validation';

/** One parameter tensor's place in the parameter vector. */
export interface TensorSpan {
  readonly name: string;
  readonly shape: readonly number[];
  readonly layer: string;
  /** Axis that counts the layer's output neurons or channels; null where there is none. */
  readonly neuronAxis: number | null;
  /** First index in θ. */
  readonly offset: number;
  readonly size: number;
}

/** How θ is partitioned for the sums that are always kept. */
export interface ParameterLayout {
  /** K. */
  readonly size: number;
  readonly tensors: readonly TensorSpan[];
  /** Layer names in order of first appearance. */
  readonly layers: readonly string[];
  /** Output neurons (or channels) per layer; neurons are numbered layer by layer. A layer without neurons counts 0. */
  readonly neurons: readonly number[];
}

/** What one segment adds to the ledger of one split. All sums are float64, taken before rounding to float32. */
export interface LedgerRow {
  /** Allocations [K] in nats, in the precision in which they are stored. */
  readonly allocation: Float32Array | Float64Array;
  /** Sum over all parameters. */
  readonly total: number;
  /** [layers] */
  readonly layerSums: Float64Array;
  /** [Σ neurons] */
  readonly neuronSums: Float64Array;
  /** [layers] entries below, above and exactly zero (of the float64 allocation). */
  readonly helping: Int32Array;
  readonly hurting: Int32Array;
  readonly zero: Int32Array;
  /** total − (L(θ_{t+1}) − L(θ_t)). */
  readonly residual: number;
  /** The same for the left rule (first order), which costs nothing extra. */
  readonly leftResidual: number;
}

/** A stored ledger of one split, as analyses read it; two-dimensional arrays are row-major. */
export interface SplitLedger {
  /** [T+1] nats */
  readonly loss: Float64Array;
  /** [T] nats */
  readonly residual: Float64Array;
  readonly leftResidual: Float64Array;
  /** [T, layers] nats */
  readonly layerSums: Float64Array;
  /** [T, layers] */
  readonly helping: Int32Array;
  readonly hurting: Int32Array;
  readonly zero: Int32Array;
}

/** A stored ledger. Rows that are too large to hold at once are read one at a time. */
export interface LedgerView {
  /** T: measured segments. */
  readonly segments: number;
  /** Training iteration that each θ row belongs to [T+1]; 0…T unless checkpoints are apart. */
  readonly iteration: Int32Array;
  readonly layout: ParameterLayout;
  /** Of losses and allocations: `nats`, or another loss's. */
  readonly unit: string;
  readonly rule: string;
  /** Null: never refined. */
  readonly tolerance: number | null;
  readonly subintervals: Int32Array;
  readonly evaluations: Int32Array;
  split(name: MeasuredSplit): SplitLedger | null;
  /** Sums by neuron [Σ neurons] of one segment at a time; null where they were not kept. */
  neuronRows(name: MeasuredSplit): AsyncIterable<Float64Array> | null;
  /** Allocations [K] of one segment at a time, rounded to float32; null where they were not kept. */
  allocationRows(name: MeasuredSplit): AsyncIterable<Float32Array> | null;
}
