import type { ParameterLayout } from 'lossledger/ledger';
import type { Pin } from '../state/names';

/** Name of a parameter by its index in θ, such as `fc1.weight[3, 17]`. */
export function parameterName({ tensors }: ParameterLayout, index: number): string {
  const tensor = tensors.find(({ offset, size }) => index >= offset && index < offset + size);
  if (!tensor) return `parameter ${index}`;
  let rest = index - tensor.offset;
  const place = tensor.shape.toReversed().map((extent) => {
    const own = rest % extent;
    rest = Math.floor(rest / extent);
    return own;
  });
  return `${tensor.name}[${place.toReversed().join(', ')}]`;
}

/** Name of a neuron by its number, such as `fc1[17]`. */
export function neuronName({ layers, neurons }: ParameterLayout, index: number): string {
  const layer = layerOfNeuron({ neurons }, index);
  const first = neurons.slice(0, layer).reduce((a, b) => a + b, 0);
  return `${layers[layer] ?? ''}[${index - first}]`;
}

export function layerOfNeuron({ neurons }: Pick<ParameterLayout, 'neurons'>, index: number): number {
  let left = index;
  return neurons.findIndex((count) => (left -= count) < 0);
}

/** The neuron that a parameter belongs to; null where it belongs to none. */
export function neuronOf({ tensors, layers, neurons }: ParameterLayout, index: number): number | null {
  const tensor = tensors.find(({ offset, size }) => index >= offset && index < offset + size);
  if (!tensor || tensor.neuronAxis === null) return null;
  const inner = tensor.shape.slice(tensor.neuronAxis + 1).reduce((a, b) => a * b, 1);
  const own = Math.floor((index - tensor.offset) / inner) % tensor.shape[tensor.neuronAxis]!;
  return neurons.slice(0, layers.indexOf(tensor.layer)).reduce((a, b) => a + b, own);
}

export function pinName(layout: ParameterLayout, { kind, index }: Pin): string {
  if (kind === 'parameter') return parameterName(layout, index);
  return kind === 'neuron' ? neuronName(layout, index) : (layout.layers[index] ?? `layer ${index}`);
}
