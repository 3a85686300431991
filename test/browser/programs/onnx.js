import { GraphBuilder } from 'lossledger/graph';
import { inspectOnnx, readOnnx, writeOnnx } from 'lossledger/onnx';

const builder = new GraphBuilder('written');
const x = builder.input('x', 'float32', [1, 3]);
const weight = builder.parameter('out.weight', [2, 3], {
  layer: 'out',
  neuronAxis: 0,
  initializer: { kind: 'zeros' },
});
const bytes = writeOnnx(
  builder.build([builder.apply('Gemm', [x, weight], { transB: 1 })]),
  new Float32Array(6),
);
const { name, inputShape, outputShape } = readOnnx(bytes);

export default [[...bytes], name, inputShape, outputShape, inspectOnnx(bytes)];
