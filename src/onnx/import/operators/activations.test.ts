import { describe, expect, it } from 'vitest';
import { differentiate } from '../../../autodiff/index.js';
import { NativeEngine } from '../../../engines/native/index.js';
import { onnxruntimeEngine } from '../../../engines/onnxruntime/index.js';
import { referenceEngine } from '../../../engines/reference/index.js';
import { GraphBuilder } from '../../../graph/builder.js';
import { readOnnx } from '../../index.js';
import type { NodeSpec } from '../../protobuf/encode.js';
import { modelOf, node, tensor } from '../../../../test/support/onnx-model.js';
import { describeWrittenOut, drawing, steps, width } from '../../../../test/support/written-out.js';

const { behindKernel } = drawing();
const slope = tensor('slope.weight', [3], [0.25, 0.5, -2]);

/** h times whole numbers of its own within bounds. */
const clipped = (bounds: string[]): Uint8Array =>
  modelOf(['batch', steps, width], behindKernel(
    [
      node('Mul', ['h', 'many'], ['wide']), node('Cast', ['wide'], ['whole'], { to: 7 }), node('Clip', ['whole', ...bounds], ['within']),
      node('Cast', ['within'], ['factor'], { to: 1 }), node('Mul', ['factor', 'h'], ['y']),
    ],
    [tensor('many', [], [9]), tensor('least', [], [-1], 'int64'), tensor('most', [], [2], 'int64')],
  )); // prettier-ignore

describeWrittenOut({
  'Clip of whole numbers': clipped(['least', 'most']),
  'Clip of whole numbers from above': clipped(['', 'most']),
  PRelu: modelOf(['batch', steps, width], behindKernel([node('PRelu', ['h', 'slope.weight'], ['y'])], [slope])), // prettier-ignore
});

const native = new NativeEngine();
const absence = await native.available();

describe('PRelu at 0 has the slope of the negative side, as PyTorch has it', () => {
  it.for([referenceEngine, onnxruntimeEngine('cpu'), native])('on $name', async (engine, { skip }) => {
    if (engine === native && !absence.ok) skip(absence.reason);
    const bytes = modelOf(['batch', 3], {
      initializers: [tensor('shift.bias', [3], [0, 0, 0]), slope],
      nodes: [node('Add', ['input', 'shift.bias'], ['x']), node('PRelu', ['x', 'slope.weight'], ['y'])],
    });
    const builder = new GraphBuilder('graph');
    const y = readOnnx(bytes).addTo(builder, builder.input('x', 'float32', [1, 3]));
    const sum = builder.apply('ReduceSum', [y], { keepdims: 0 });
    const program = await engine.compile(differentiate(builder.build([sum])));
    program.load(Float64Array.of(0, 0, 0, 0.25, 0.5, -2));
    const gradient = new Float64Array(6);
    await program.run({ x: Float32Array.of(0, 0, 0) }, gradient);
    await program.dispose();
    expect([...gradient]).toEqual([0.25, 0.5, -2, 0, 0, 0]);
  });
});

it('refuses a Celu whose alpha is not above 0', () => {
  const celu = (alpha: number): NodeSpec => node('Celu', ['h'], ['y'], { alpha });
  expect(() => readOnnx(modelOf(['batch', steps, width], behindKernel([celu(-0.5)])))).toThrow(
    /Celu .*: alpha -0.5\n.*alpha above 0/,
  );
});
