import { layerTilings, neuronTilings, tensorTilings, type Tiling } from '../draw/sheet';
import type { ObjectiveData, RunData } from './load';
import { neuronName, parameterName } from './places';

/** The array that has the finest allocations of an objective. */
export function rowName({ name, finest }: ObjectiveData): string {
  return `${{ parameters: 'allocation', neurons: 'neuron_sums', layers: 'layer_sums' }[finest]}/${name}`;
}

/** How a row of it is shown. */
export function tilingsOf({ layout, manifest }: RunData, { finest }: ObjectiveData): Tiling[] {
  if (finest === 'parameters') return tensorTilings(layout, manifest.definition.exampleShape);
  return finest === 'neurons' ? neuronTilings(layout) : layerTilings(layout);
}

/** What each of its numbers is of. */
export function cellNames({ layout }: RunData, { finest }: ObjectiveData): (index: number) => string {
  if (finest === 'parameters') return (index) => parameterName(layout, index);
  return finest === 'neurons' ? (index) => neuronName(layout, index) : (index) => layout.layers[index]!;
}
