import { differentiate } from 'lossledger/autodiff';
import { attachLoss, type Graph, GraphBuilder } from 'lossledger/graph';
import { layoutOfGraph, type ParameterLayout } from 'lossledger/ledger';
import { fold, key, normal } from 'lossledger/num';

/** Numbers of each layer of neurons, inputs and classes among them. */
export const widths = [2, 6, 4, 2] as const;

/** Layers with weights: their names, outputs and inputs. */
export const denseLayers = widths
  .slice(1)
  .map((outputs, k) => ({ name: `fc${k + 1}`, outputs, inputs: widths[k]! }));

/** The network with its loss and gradients for chunks of so many points: dense layers with tanh between them, softmax cross-entropy. */
export function networkGraph(points: number): Graph {
  const builder = new GraphBuilder('playground');
  let value = builder.input('x', 'float32', [points, 2]);
  denseLayers.forEach(({ name, outputs, inputs }, k) => {
    const own = { layer: name, neuronAxis: 0, initializer: { kind: 'zeros' } } as const;
    const weight = builder.parameter(`${name}.weight`, [outputs, inputs], own);
    const bias = builder.parameter(`${name}.bias`, [outputs], own);
    value = builder.apply('Gemm', [value, weight, bias], { transB: 1 });
    if (k < denseLayers.length - 1) value = builder.apply('Tanh', [value]);
  });
  return differentiate(attachLoss(builder.build([value]), { loss: 'softmaxCrossEntropy' }));
}

export const layout: ParameterLayout = layoutOfGraph(networkGraph(1));

/** θ_0 [K]: weights normal with variance 1 / inputs, biases zero; the same for the same seed. */
export function startTheta(seed: number): Float32Array {
  const theta = new Float32Array(layout.size);
  for (const { name, shape, offset, size } of layout.tensors) {
    if (shape.length === 2)
      theta.set(
        normal(fold(key(seed), name), size).map((value) => value / Math.sqrt(shape[1]!)),
        offset,
      );
  }
  return theta;
}

/** Probability of class 1 at a point, 0 … 1: what the picture of the plane shows between the points. */
export function probability(theta: Float32Array, x: number, y: number): number {
  let [values, at] = [[x, y], 0];
  denseLayers.forEach(({ outputs, inputs }, k) => {
    const weights = at;
    const biases = weights + outputs * inputs;
    at = biases + outputs;
    values = Array.from({ length: outputs }, (_, row) => {
      let total = theta[biases + row]!;
      for (let column = 0; column < inputs; column++)
        total += theta[weights + row * inputs + column]! * values[column]!;
      return k < denseLayers.length - 1 ? Math.tanh(total) : total;
    });
  });
  return 1 / (1 + Math.exp(values[0]! - values[1]!));
}
