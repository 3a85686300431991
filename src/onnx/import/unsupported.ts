import { GraphError } from '../../errors.js';
import type { Node } from '../protobuf/onnx_pb.js';

/** Operator, node and operator set of a node in one line, for messages. */
export function describeNode(node: Node, opset: number): string {
  const domain = node.domain === '' || node.domain === 'ai.onnx' ? '' : `${node.domain}.`;
  return `operator ${domain}${node.opType} of node ${nodeName(node)} (opset ${opset})`;
}

/** A node's name, or where it has none, that of its first output. */
export function nodeName(node: Node): string {
  return node.name !== '' ? node.name : (node.output.find((name) => name !== '') ?? node.opType);
}

const control = 'export with fixed shapes and without branches or loops in the forward pass';

const noise = 'the loss must not depend on chance: switch this layer to evaluation before the export';

/** What would help, by operator. */
const remedies: Readonly<Record<string, string>> = {
  If: control,
  Scan: control,
  Upsample: 'export with operator set 11 or later, which has Resize',
  RandomUniformLike: noise,
  RandomNormalLike: noise,
  RandomUniform: noise,
  RandomNormal: noise,
  Bernoulli: noise,
  Attention: 'export with an operator set below 23, so that attention is written as MatMul and Softmax',
  QuantizeLinear: 'export the model before it is quantised',
  DequantizeLinear: 'export the model before it is quantised',
};

/** What to do about a node that has no translation. */
export function remedyFor(node: Node): string {
  if (node.domain.includes('microsoft')) return "export without ONNX Runtime's own optimised operators";
  if (node.domain !== '' && node.domain !== 'ai.onnx') {
    return 'export with functions inlined, and with standard operators only';
  }
  return (
    remedies[node.opType] ?? 'rewrite this part of the model with supported operators, and export it again'
  );
}

/** The error for a node that cannot be translated. */
export function unsupported(node: Node, opset: number): GraphError {
  return new GraphError({
    given: describeNode(node, opset),
    expected: 'a supported operator (docs/OPERATORS.md lists them)',
    remedy: remedyFor(node),
  });
}
