import { describe, expect, it } from 'vitest';
import { inspectOnnx, readOnnx } from '../../index.js';
import type { InitializerSpec, NodeSpec } from '../../protobuf/encode.js';
import { modelOf, node, tensor } from '../../../../test/support/onnx-model.js';
import { describeWrittenOut, drawing, steps, width } from '../../../../test/support/written-out.js';

const { behindKernel } = drawing();

const modelBehind = (nodes: NodeSpec[], initializers: InitializerSpec[] = [], opset = 17): Uint8Array =>
  modelOf(['batch', steps, width], { ...behindKernel(nodes, initializers), opset });

const number = (name: string, value: number) => tensor(name, [], [value]);

/** A function of h, tried at factor · h + offset, where it has values. */
const functionOf = (
  op: string,
  factor = 1,
  offset = 0,
  attributes: NodeSpec['attributes'] = {},
): Uint8Array =>
  modelBehind(
    [
      node('Mul', ['h', 'factor'], ['scaled']),
      node('Add', ['scaled', 'offset'], ['x']),
      node(op, ['x'], ['y'], attributes),
    ],
    [number('factor', factor), number('offset', offset)],
  );

/** Steps have no slope: what is multiplied by them has. */
const stepOf = (op: string): Uint8Array =>
  modelBehind(
    [node('Mul', ['h', 'factor'], ['x']), node(op, ['x'], ['step']), node('Mul', ['step', 'h'], ['y'])],
    [number('factor', 7)],
  );

/** Of the numbers a and 2 - a, which are compared, the ones that a condition chooses. */
const chosen = (nodes: NodeSpec[], initializers: InitializerSpec[] = []): Uint8Array =>
  modelBehind(
    [...nodes, node('Where', ['condition', 'h', 'other'], ['y'])],
    [number('other', 2), number('zero', 0), number('limit', 0.3), ...initializers],
  );

describeWrittenOut({
  Atan: functionOf('Atan', 3),
  Tan: functionOf('Tan'),
  Asin: functionOf('Asin', 0.5),
  Acos: functionOf('Acos', 0.5),
  Sinh: functionOf('Sinh'),
  Cosh: functionOf('Cosh'),
  Asinh: functionOf('Asinh', 9),
  Acosh: functionOf('Acosh', 0.5, 3),
  Atanh: functionOf('Atanh', 0.5),
  Shrink: functionOf('Shrink', 2, 0, { lambd: 0.4, bias: 0.25 }),
  'Mod of the dividend’s sign': modelBehind(
    [node('Abs', ['h'], ['size']), node('Add', ['size', 'limit'], ['divisor']), node('Mul', ['h', 'factor'], ['x']), node('Mod', ['x', 'divisor'], ['y'], { fmod: 1 })],
    [number('limit', 0.3), number('factor', 5)],
  ),
  Floor: stepOf('Floor'),
  Ceil: stepOf('Ceil'),
  Round: stepOf('Round'),
  'Mod of whole numbers': modelBehind(
    [
      node('Mul', ['h', 'factor'], ['x']),
      node('Cast', ['x'], ['whole'], { to: 7 }),
      node('Mod', ['whole', 'three'], ['rest']),
      node('Cast', ['rest'], ['r'], { to: 1 }),
      node('Mul', ['r', 'h'], ['y']),
    ],
    [number('factor', 9), tensor('three', [], [3], 'int64')],
  ),
  Xor: chosen([node('Greater', ['h', 'zero'], ['a']), node('Greater', ['h', 'limit'], ['b']), node('Xor', ['a', 'b'], ['condition'])]),
  IsNaN: chosen([node('Sqrt', ['h'], ['root']), node('IsNaN', ['root'], ['condition'])]),
  IsInf: chosen([node('Relu', ['h'], ['r']), node('Log', ['r'], ['logarithm']), node('IsInf', ['logarithm'], ['condition'])]),
  'IsInf of one sign': chosen([node('Relu', ['h'], ['r']), node('Log', ['r'], ['logarithm']), node('IsInf', ['logarithm'], ['condition'], { detect_negative: 0 })]),
  EyeLike: modelBehind(
    [node('ConstantOfShape', ['size'], ['zeros']), node('EyeLike', ['zeros'], ['eye'], { k: 1 }), node('MatMul', ['h', 'eye'], ['y'])],
    [tensor('size', [2], [3, 4], 'int64')],
  ),
  LRN: modelBehind(
    [node('Unsqueeze', ['h', 'last'], ['x']), node('LRN', ['x'], ['y'], { size: 3, alpha: 0.7, beta: 0.5, bias: 1.5 })],
    [tensor('last', [1], [-1], 'int64')],
  ),
  'LpNormalization by the sum': modelBehind([node('LpNormalization', ['h'], ['y'], { p: 1 })]),
  'LpNormalization by the norm': modelBehind([node('LpNormalization', ['h'], ['y'], { axis: 1 })]),
}); // prettier-ignore

describe('steps', () => {
  const warnings = (nodes: NodeSpec[]): string => inspectOnnx(modelBehind(nodes)).warnings.join();

  it('of what is trained are warned of, those of the data alone are not', () => {
    expect(warnings([node('Round', ['h'], ['y'])])).toMatch(
      /Round of what is trained is a step: no gradient/,
    );
    const { warnings: said } = readOnnx(modelBehind([node('Sign', ['h'], ['y'])]));
    expect(said.join()).toMatch(/Sign of what is trained is a step/);
    expect(warnings([node('Floor', ['input'], ['f']), node('MatMul', ['f', 'k.weight'], ['y'])])).toBe('');
  });
});
