import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { modelOf, node, ramp, tensor } from '../../test/support/onnx-model.js';
import { inspectOnnx, readOnnx } from './index.js';
import { ModelSchema, TensorSchema } from './protobuf/onnx_pb.js';

describe('inspectOnnx', () => {
  it('lists tensors, operators, and what is unsupported', () => {
    const bytes = modelOf(['batch', 2], {
      initializers: [ramp('fc.weight', [2, 3]), tensor('axes', [1], [1], 'int64')],
      nodes: [
        node('MatMul', ['input', 'fc.weight'], ['h']),
        node('Unique', ['h'], ['l']),
        node('ReduceSum', ['l', 'axes'], ['r']),
        node('Softmax', ['r'], ['y']),
      ],
    });
    expect(inspectOnnx(bytes)).toMatchObject({
      opset: 17,
      producer: 'lossledger',
      inputs: [{ name: 'input', dtype: 'float32', shape: ['batch', 2] }],
      parameters: 6,
      operators: { MatMul: 1, Unique: 1, ReduceSum: 1, Softmax: 1 },
      unsupported: [{ node: 'Unique/l' }],
      problem: expect.stringContaining('Unique') as string,
    });
    expect(inspectOnnx(bytes).tensors.map(({ name, trained }) => [name, trained])).toEqual([
      ['fc.weight', true],
      ['axes', false],
    ]);
  });

  it('says where examples along a later axis belong', () => {
    const nodes = [node('Transpose', ['input'], ['y'], { perm: [1, 0, 2] })];
    expect(inspectOnnx(modelOf([5, 'batch', 3], { nodes })).problem).toMatch(
      /input of shape \[5, batch, 3\], with its examples along axis 1[^]*x\.transpose\(0, 1\)/,
    );
    expect(inspectOnnx(modelOf(['time', 'batch', 3], { nodes })).problem).not.toMatch(/along axis 1/);
  });

  it('says why a model of known operators cannot be measured', () => {
    const bytes = modelOf(['batch', 2, 3], {
      nodes: [node('Transpose', ['input'], ['y'], { perm: [1, 0, 2] })],
    });
    expect(inspectOnnx(bytes)).toMatchObject({
      unsupported: [],
      problem: expect.stringContaining('output y') as string,
    });
  });

  it('says what reading the model says, and like it asks once for each file beside the model', () => {
    const model = fromBinary(
      ModelSchema,
      modelOf(['batch', 2], {
        nodes: [node('MatMul', ['input', 'w'], ['h']), node('Sigmoid', ['h'], ['y'])],
      }),
    );
    const externalData = [{ key: 'location', value: 'weights.bin' }];
    for (const name of ['w', 'unused']) {
      const fields = { name, dims: [2n, 1n], dataType: 1, dataLocation: 1, externalData };
      model.graph!.initializer.push(create(TensorSchema, fields));
    }
    const bytes = toBinary(ModelSchema, model);
    const asked: string[] = [];
    const options = {
      externalData: (location: string) => {
        asked.push(location);
        return new Uint8Array(8);
      },
    };
    const { warnings } = readOnnx(bytes, options);
    expect(inspectOnnx(bytes, options)).toMatchObject({ warnings, problem: null });
    expect(asked).toEqual(['weights.bin', 'weights.bin']);
  });
});
