import type { Node } from '../../graph/types.js';
import type { Emitter } from './emitter.js';

/**
 * Emits one operator of our graphs as standard ONNX and returns the names of its outputs. `inputs` are the names of the
 * node's inputs; an omitted one is the empty string.
 */
export type Lowering = (emit: Emitter, node: Node, inputs: readonly string[]) => string | readonly string[];

/** Lowerings by operator of our graphs. */
export type LoweringTable = Readonly<Record<string, Lowering>>;
