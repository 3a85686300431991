import type { Graph, Node, Value } from '../../graph/types.js';
import { sizeOf } from '../../graph/types.js';
import { convolutionOf } from '../../graph/windows.js';
import { bytesOf, peakBytes } from '../liveness.js';
import { viewsAlive } from './lowering/convolution-grad-weight.js';

/** How much more ONNX Runtime's arena holds than what lives at once: it grows by doubling, and its pieces do not fit without gaps. */
const ARENA = 1.5;

/**
 * Bytes of a session, as an estimate, since the runtime does not say what it allocates: what is fed, copied; parameters; results; and
 * 1.5 times the most that lives at once. Measured sessions (docs/PERFORMANCE.md) took 0.7 to 1.2 times as much.
 */
export function memoryOf(graph: Graph): number {
  const total = (values: readonly Value[]): number => values.reduce((sum, value) => sum + bytesOf(value), 0);
  const held = total(graph.inputs) + total(graph.parameters.map(({ value }) => value)) + total(graph.outputs);
  return held + ARENA * peakBytes(graph, bytesOf, workspaceOf);
}

/** What the lowering of a node keeps besides its inputs and outputs, where that is much. */
function workspaceOf(node: Node): number {
  if (node.op === 'ConvGradWeight') {
    const c = convolutionOf(node);
    return viewsAlive(c) * 4 * c.examples * c.inputChannels * sizeOf(c.output);
  }
  return node.op === 'MaxPoolGrad' ? 3 * bytesOf(node.inputs[1]!) : 0;
}
