import { denseLayers, layout } from './network';

/** Where a parameter stands in the drawing of the network: an edge between two columns of neurons, or a bias of one. */
export interface Edge {
  /** Layer of weights, from 0. */
  readonly layer: number;
  /** Neuron before it; null: a bias. */
  readonly from: number | null;
  readonly to: number;
}

export function edgeOf(parameter: number): Edge {
  const index = layout.tensors.findIndex(({ offset, size }) => parameter < offset + size);
  const [layer, inside] = [index >> 1, parameter - layout.tensors[index]!.offset];
  if (index % 2 === 1) return { layer, from: null, to: inside };
  const { inputs } = denseLayers[layer]!;
  return { layer, from: inside % inputs, to: Math.floor(inside / inputs) };
}

/** Such as `fc1.weight[2, 0]`. */
export function parameterLabel(parameter: number): string {
  const { layer, from, to } = edgeOf(parameter);
  const { name } = denseLayers[layer]!;
  return from === null ? `${name}.bias[${to}]` : `${name}.weight[${to}, ${from}]`;
}
