import type { Application } from '../graph/application.js';
import { inputOf, misfit } from '../graph/application.js';
import type { GraphBuilder } from '../graph/builder.js';
import { reducedShape, sameShape } from '../graph/shapes.js';
import type { Attributes, Node, Shape, TensorData, Value } from '../graph/types.js';
import { sizeOf } from '../graph/types.js';

/** Constants of the graph by the id of their value. */
export type ConstantData = ReadonlyMap<number, TensorData>;

/**
 * Going back through one node: what a gradient rule sees, and how it adds nodes. New nodes are named after the node that
 * they differentiate, such as `conv1/ConvGradWeight`.
 */
export class Backward {
  constructor(
    readonly node: Node,
    /** Gradient of the loss with respect to each output; null where the loss does not depend on it. */
    readonly gradients: readonly (Value | null)[],
    readonly constants: ConstantData,
    readonly builder: GraphBuilder,
  ) {}

  /** Gradient of the first output, for nodes whose other outputs (statistics) nothing may use. Throws GraphError where one is used. */
  get dy(): Value {
    const [first, ...others] = this.gradients;
    if (others.some((gradient) => gradient !== null) || !first) {
      throw misfit(
        this.node,
        'a loss that depends on the first output only',
        'compute the statistics with ReduceMean instead',
      );
    }
    return first;
  }

  /** Input `index` of the node. Throws GraphError where it is left out. */
  input(index: number): Value {
    return inputOf(this.node, index);
  }

  /** Output `index` of the node. */
  output(index: number): Value {
    return this.node.outputs[index]!;
  }

  /** Adds a node, named after this one and `label`, and returns all its outputs. */
  all(op: string, inputs: Application['inputs'], attributes: Attributes = {}, label = op): readonly Value[] {
    return this.builder.add(op, inputs, attributes, `${this.node.name}/${label}`);
  }

  /** Adds a node, named after this one and `label`, and returns its first output. */
  apply(op: string, inputs: Application['inputs'], attributes: Attributes = {}, label = op): Value {
    return this.all(op, inputs, attributes, label)[0]!;
  }

  /** A float32 constant of shape []. */
  scalar(number: number): Value {
    return this.builder.scalar(number);
  }

  /** A float32 constant of zeros. */
  zeros(shape: Shape): Value {
    return this.builder.constant(new Float32Array(sizeOf(shape)), shape, 'float32', 'zeros');
  }

  /** The same elements, row-major, in another shape. */
  reshape(value: Value, shape: Shape): Value {
    return sameShape(value.shape, shape) ? value : this.apply('Reshape', [value], { shape });
  }

  /** `value` broadcast to a shape. */
  expand(value: Value, shape: Shape): Value {
    return sameShape(value.shape, shape) ? value : this.apply('Expand', [value], { shape });
  }

  /** Sums over `axes` and drops them. */
  sum(value: Value, axes: readonly number[]): Value {
    return axes.length === 0 ? value : this.apply('ReduceSum', [value], { axes, keepdims: 0 });
  }

  /** The gradient of a tensor of this shape that was broadcast to the shape of `dy`. */
  unbroadcast(dy: Value, shape: Shape): Value {
    const missing = dy.shape.length - shape.length;
    const axes = [...dy.shape.keys()].filter(
      (axis) => axis < missing || shape[axis - missing] !== dy.shape[axis],
    );
    if (axes.length === 0) return dy;
    const keepdims = sameShape(reducedShape(dy.shape, axes, true), shape) ? 1 : 0;
    return this.reshape(this.apply('ReduceSum', [dy], { axes, keepdims }), shape);
  }
}

/** Gradients with respect to a node's inputs, in order; null (or nothing) where there is no rule for an input. */
export type GradientRule = (step: Backward) => readonly (Value | null)[];
/** Gradient rules by operator. */
export type GradientRules = Readonly<Record<string, GradientRule>>;
