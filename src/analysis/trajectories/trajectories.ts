import { analyseLoss } from '../objective.js';
import type { ThemeContext, Watcher } from '../themes/sweep.js';
import { type NeuronMaps, watchNeuronMaps } from './neuron-map.js';
import { type ParameterPaths, watchParameters } from './parameters.js';

/** Losses at each row of θ, as measured and as allocations add up to [T + 1], in the loss's unit (paper Figure S1). */
export interface LossPaths {
  readonly measured: readonly number[];
  /** First loss plus all allocations so far. */
  readonly converged: readonly number[];
  /** The same of the left rule, gradient at the start of each step times the step: first order; null where that gradient is not known. */
  readonly firstOrder: readonly number[] | null;
}

/** What happened over time, from the whole to single parameters (paper Section S2, Figures 2, S1 and S2). */
export interface TrajectoriesAnalysis {
  readonly iteration: readonly number[];
  readonly loss: LossPaths;
  readonly neurons: NeuronMaps | null;
  readonly parameters: ParameterPaths | null;
}

function lossPaths({ view, objective }: ThemeContext): LossPaths {
  const { measured, integrated, leftResidual } = analyseLoss(view, objective);
  if (leftResidual === null) return { measured, converged: integrated, firstOrder: null };
  const firstOrder = [measured[0]!];
  // A segment's left sum is its change of the loss and the left residual.
  leftResidual.forEach((residual, t) => {
    firstOrder.push(firstOrder[t]! + measured[t + 1]! - measured[t]! + residual);
  });
  return { measured, converged: integrated, firstOrder };
}

/** Watches neurons, and in a second pass the parameters that stand out. */
export function watchTrajectories(context: ThemeContext): Watcher<TrajectoriesAnalysis> {
  const [neurons, parameters] = [watchNeuronMaps(context), watchParameters(context)];
  return {
    passes: [{ ...neurons.passes[0] }, { ...parameters.passes[1] }],
    finish: () => ({
      iteration: [...context.view.iteration],
      loss: lossPaths(context),
      neurons: neurons.finish(),
      parameters: parameters.finish(),
    }),
  };
}
