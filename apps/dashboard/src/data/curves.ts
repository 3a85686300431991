import type { Pin } from '../state/names';
import { parameterCurve } from './pyramid';
import type { ObjectiveData, RunData } from './load';

const kept = new WeakMap<RunData, Map<string, Promise<Float64Array>>>();

/**
 * Allocation over time [T] of what is pinned; read once while the run does not grow, so that another pin does not read those before it again. Throws
 * StoreError where a file is damaged.
 */
export function curveOf(run: RunData, own: ObjectiveData, pin: Pin): Promise<Float64Array> {
  const known = kept.get(run) ?? new Map<string, Promise<Float64Array>>();
  kept.set(run, known);
  const name = `${own.name}/${pin.kind}/${pin.index}`;
  const curve = known.get(name) ?? readCurve(run, own, pin);
  known.set(name, curve);
  // What failed is tried again.
  curve.catch(() => known.delete(name));
  return curve;
}

async function readCurve(run: RunData, own: ObjectiveData, { kind, index }: Pin): Promise<Float64Array> {
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
