import type { Numbers, ParameterLayout, TensorSpan } from '../../ledger/types.js';
import { neuronCount } from '../../ledger/layout.js';
import { summing, type ThemeContext, type Watcher } from '../themes/sweep.js';
import { analyseClasses, type ClassAnalysis } from './classes.js';
import { CurveSet, type PairCorrelation } from './curve-set.js';
import { type Saliency, SaliencyWatch } from './saliency.js';

/** Whether parameters that share an output or an input learn together (paper Section S6.1, Figure S20). */
export interface KernelCorrelation {
  readonly tensor: string;
  readonly layer: string;
  /** Parameters whose running total is not constant; the others are left out. */
  readonly parameters: number;
  /** Of running totals, and of single allocations. */
  readonly cumulative: readonly PairCorrelation[];
  readonly single: readonly PairCorrelation[];
}

/** What neurons and classes have to do with one another (paper Section S6). */
export interface NeuronsAnalysis {
  /** Kernels with outputs and inputs; null where allocations were not kept. */
  readonly kernels: readonly KernelCorrelation[] | null;
  /** Null where the objective is not divided. */
  readonly classes: ClassAnalysis | null;
  /** Null where the first layer reads no image, allocations were not kept, or θ could not be read. */
  readonly saliency: Saliency | null;
}

/** One kernel's curves: of single allocations and of running totals. */
class KernelWatch {
  readonly single: CurveSet;
  readonly cumulative: CurveSet;
  readonly #running: Float64Array;

  constructor(readonly tensor: TensorSpan) {
    this.single = new CurveSet(tensor);
    this.cumulative = new CurveSet(tensor);
    this.#running = new Float64Array(tensor.size);
  }

  #advance(row: Numbers, t: number): Float64Array {
    const [running, { offset }] = [this.#running, this.tensor];
    if (t === 0) running.fill(0);
    for (let k = 0; k < running.length; k++) running[k]! += row[offset + k]!;
    return running;
  }

  first(row: Numbers, t: number): void {
    this.single.first(row, this.tensor.offset);
    this.cumulative.first(this.#advance(row, t), 0);
  }

  second(row: Numbers, t: number): void {
    this.single.second(row, this.tensor.offset);
    this.cumulative.second(this.#advance(row, t), 0);
  }

  finish(): KernelCorrelation {
    const { tensor, single, cumulative } = this;
    const [of, total] = [single.finish(), cumulative.finish()];
    return {
      tensor: tensor.name,
      layer: tensor.layer,
      parameters: cumulative.alive,
      cumulative: total,
      single: of,
    };
  }
}

const kernelsOf = ({ tensors }: ParameterLayout): TensorSpan[] =>
  tensors.filter(
    ({ kind, neuronAxis, inputAxis }) => kind === 'kernel' && neuronAxis !== null && inputAxis !== null,
  );

/** Watches allocations twice, and sums by part and neuron. */
export function watchNeurons(context: ThemeContext): Watcher<NeuronsAnalysis> {
  const { view, parts, has } = context;
  const { layout } = view;
  const kernels = has('allocation') ? kernelsOf(layout).map((tensor) => new KernelWatch(tensor)) : null;
  const byPart = has('partNeurons') ? summing(parts.length * neuronCount(layout)) : null;
  const saliency = has('theta') && has('allocation') ? new SaliencyWatch(context, byPart?.totals ?? null) : null;
  return {
    passes: [
      {
        ...(kernels ? { allocation: (row, t) => kernels.forEach((kernel) => kernel.first(row, t)) } : {}),
        ...(byPart ? { partNeurons: byPart.add } : {}),
        ...(saliency ? { theta: saliency.theta } : {}),
      },
      {
        ...(kernels ? { allocation: (row, t) => kernels.forEach((kernel) => kernel.second(row, t)) } : {}),
        ...(saliency && has('partAllocation') ? { partAllocation: saliency.partAllocation } : {}),
      },
    ],
    finish: () => ({
      kernels: kernels && kernels.map((kernel) => kernel.finish()),
      classes: byPart && analyseClasses(byPart.totals, layout, parts),
      saliency: saliency && saliency.finish(),
    }),
  };
} // prettier-ignore
