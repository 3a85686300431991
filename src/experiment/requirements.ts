import { iterationsPerEpoch, requireOrderFits } from '../data/batches.js';
import type { Dataset } from '../data/types.js';
import { UsageError } from '../errors.js';
import type { ParameterLayout } from '../ledger/types.js';
import { checkSettings } from '../quadrature/settings.js';
import type { RunConfig } from './config/schema.js';
import { optimizerOf, stepExamples } from './optimizer.js';

/** Throws UsageError where a trajectory that is followed is needed whole before anything is measured. */
export function requireFollowable({ follow, trajectory, basis, sample }: RunConfig): void {
  if (!follow) return;
  const what = trajectory === null ? 'without --trajectory' : basis?.startsWith('pca:') ? `together with basis ${basis}` : sample === 'auto' ? 'together with sample auto' : null; // prettier-ignore
  if (what === null) return;
  throw new UsageError({
    given: `--follow ${what}`,
    expected: 'a recording that grows, and nothing that must see all of it first',
    remedy: 'leave out one of the two, or measure when training is over',
  });
}

/** Throws UsageError where an average of weights is measured by what holds of the weights alone. */
function requireAverageable({ ema, components, forks, trajectory }: RunConfig): void {
  const what = trajectory !== null ? 'a recorded trajectory' : components ? 'components' : forks.length > 0 ? 'a fork' : null; // prettier-ignore
  if (ema === null || what === null) return;
  throw new UsageError({
    given: `ema ${ema} together with ${what}`,
    expected: 'weights that are trained here, whose average moves otherwise than their optimiser',
    remedy: 'leave out one of the two',
  });
}

/** Throws UsageError where training or quadrature cannot be done as it is said, on these data. */
export function checkControls(
  config: RunConfig,
  { splits }: Dataset,
  layout: ParameterLayout,
  isRecorded: boolean,
): void {
  if (!isRecorded) {
    const size = stepExamples(config);
    iterationsPerEpoch(splits.train.count, size);
    requireOrderFits(config.iterations, size);
  }
  optimizerOf(config, layout);
  requireAverageable(config);
  checkSettings(config);
}
