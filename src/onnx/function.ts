import { toBinary } from '@bufbuild/protobuf';
import { decodeModel } from './protobuf/decode.js';
import { ModelSchema } from './protobuf/onnx_pb.js';

/**
 * What a model file computes, as bytes: the file without the numbers of its parameters, the names of its nodes, and who wrote it. Files of
 * equal bytes compute the same function of data and parameters; others may, written another way. Throws GraphError where it is none.
 */
export function functionBytes(bytes: Uint8Array, parameters: ReadonlySet<string>): Uint8Array {
  const model = decodeModel(bytes);
  Object.assign(model, { irVersion: 0n, producerName: '', producerVersion: '' });
  const graph = model.graph!;
  graph.name = '';
  for (const node of graph.node) node.name = '';
  for (const tensor of graph.initializer) {
    if (!parameters.has(tensor.name)) continue;
    Object.assign(tensor, { floatData: [], doubleData: [], int32Data: [], rawData: new Uint8Array() });
    Object.assign(tensor, { externalData: [], dataLocation: 0 });
  }
  return toBinary(ModelSchema, model);
}
