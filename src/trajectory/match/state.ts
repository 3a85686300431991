import type { Reading } from '../../formats/reading.js';
import { listed } from '../checks.js';
import type { ModelTensor, ModelWeights } from '../types.js';
import { ignorable, isLayerBuffer } from './extras.js';

/**
 * Warns of buffers that a recording moves and that are measured with that motion, as parameters are, and of vectors of spectral
 * normalisation that it does not have: those of the model's file are of one row alone.
 */
export function stateReadings(
  { tensors }: ModelWeights,
  trained: readonly ModelTensor[],
  recorded: ReadonlyMap<string, string>,
): Reading[] {
  const stateOf = ({ name, state }: ModelTensor): string | null =>
    state ?? (isLayerBuffer(name) ? 'running statistics' : null);
  const moving = trained.filter((tensor) => stateOf(tensor) !== null);
  const held = tensors.filter(({ name, state }) => state?.startsWith('vectors') && !recorded.has(name));
  const readings: Reading[] = [];
  if (moving.length > 0) {
    const names = moving.map(({ name }) => name);
    const others = trained.filter((tensor) => !moving.includes(tensor)).map(({ name }) => name);
    const ignored = ignorable(names.map((name) => recorded.get(name) ?? name), others.map((name) => recorded.get(name) ?? name)); // prettier-ignore
    readings.push({
      about: 'buffers',
      decision: `measured with their motion, as parameters are: ${listed(names)} (${[...new Set(moving.map(stateOf))].join(', ')}). They change the loss though no optimiser moves them: their allocations are their own, and count in the sums of their layers. To hold them as the model’s file has them: --ignore '${ignored}'`,
      evidence: 'their names, and that they move or differ from the model’s file',
      warning: true,
    });
  }
  if (held.length > 0)
    readings.push({
      about: 'buffers',
      decision: `every row is measured with the model file’s ${listed(held.map(({ name }) => name))} (vectors of spectral normalisation), which training moves: losses are those of another network than was trained. Record them too: model.state_dict() has them`,
      evidence: 'they are not recorded, or passed over',
      warning: true,
    });
  return readings;
}
