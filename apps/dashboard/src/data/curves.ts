import type { Pin } from '../state/names';
import { parameterCurve } from './pyramid';
import type { ObjectiveData, RunData } from './load';

/** Allocation over time [T] of what is pinned. Throws StoreError where a file is damaged. */
export async function curveOf(run: RunData, own: ObjectiveData, { kind, index }: Pin): Promise<Float64Array> {
  const T = run.segments;
  if (kind === 'layer') {
    const L = run.layout.layers.length;
    return Float64Array.from({ length: T }, (_, t) => own.layerSums[t * L + index]!);
  }
  if (kind === 'parameter') return parameterCurve(run, own, index);
  return Float64Array.from(
    await (await run.reader()).curve(`neuron_sums/${own.name}`, index, { from: 0, to: T }),
  );
}

/** Whether a run keeps what a pin is of. */
export function isKept({ finest }: ObjectiveData, { kind }: Pin): boolean {
  return kind === 'layer' || finest === 'parameters' || (kind === 'neuron' && finest === 'neurons');
}
