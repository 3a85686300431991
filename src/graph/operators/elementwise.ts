import type { Application } from '../application.js';
import { inputOf, misfit } from '../application.js';
import type { Activation } from '../activations/define.js';
import { gradientOperatorOf } from '../activations/define.js';
import { activations } from '../activations/table.js';
import { intAttribute, stringAttribute } from '../attributes.js';
import type { DType, Shape } from '../types.js';
import type { Entry, TensorType } from './define.js';
import { broadcastOf, float, floatInput, floatInputOf, operator, operatorsOf } from './define.js';

const dtypes: readonly string[] = ['float32', 'int64', 'int32', 'uint8', 'bool'] satisfies DType[];

function pairOf(node: Application): TensorType {
  const a = inputOf(node, 0);
  const b = inputOf(node, 1);
  if (a.dtype !== b.dtype) throw misfit(node, 'inputs of one type', 'add a Cast');
  return { dtype: a.dtype, shape: broadcastOf(node, [a, b]) };
}

function arithmetic(node: Application): TensorType[] {
  const pair = pairOf(node);
  if (pair.dtype === 'bool') throw misfit(node, 'numbers, not bool', 'add a Cast');
  return [pair];
}

/** ONNX has the remainder with the divisor's sign for whole numbers alone. */
function modulo(node: Application): TensorType[] {
  const [pair] = arithmetic(node) as [TensorType];
  if (pair.dtype !== 'float32' || intAttribute(node, 'fmod', 0) === 1) return [pair];
  throw misfit(node, 'attribute fmod 1 for float32', 'write it as a - b · Floor(a / b)');
}

function logical(node: Application): TensorType[] {
  const inputs = node.inputs.map((_, k) => inputOf(node, k));
  if (inputs.some((value) => value.dtype !== 'bool')) throw misfit(node, 'bool inputs', 'add a Cast to bool');
  return [{ dtype: 'bool', shape: broadcastOf(node, inputs) }];
}

function sameAsInput(node: Application): TensorType[] {
  const { dtype, shape } = inputOf(node, 0);
  return [{ dtype, shape }];
}

function floatSameAsInput(node: Application): TensorType[] {
  return [float(floatInput(node, 0).shape)];
}

/** Entries of an activation and of its gradient operator, which has the same attributes. */
function activationEntries([name, { attributes, formulas }]: readonly [string, Activation]): Entry[] {
  const infer = (node: Application, shape: Shape): TensorType[] => {
    formulas(node);
    return [float(shape)];
  };
  const names = Object.keys(attributes);
  return [
    operator(name, [1, 1], names, (node) => infer(node, floatInput(node, 0).shape)),
    operator(gradientOperatorOf(name), [2, 2], names, (node) => {
      const { shape } = floatInput(node, 0);
      return infer(node, floatInputOf(node, 1, shape).shape);
    }),
  ];
}

function where(node: Application): TensorType[] {
  const [condition, a, b] = [inputOf(node, 0), inputOf(node, 1), inputOf(node, 2)];
  if (condition.dtype !== 'bool' || a.dtype !== b.dtype) {
    throw misfit(node, 'a bool condition and two inputs of one type', 'add a Cast');
  }
  return [{ dtype: a.dtype, shape: broadcastOf(node, [condition, a, b]) }];
}

function cast(node: Application): TensorType[] {
  const to = stringAttribute(node, 'to');
  if (!dtypes.includes(to)) throw misfit(node, `attribute to: one of ${dtypes.join(', ')}`);
  return [{ dtype: to as DType, shape: inputOf(node, 0).shape }];
}

/** Functions of real numbers; the last three are steps. */
const functions = 'Exp Log Sqrt Sin Cos Atan Erf Reciprocal Floor Ceil Round'.split(' ');

/** Operators that treat each element by itself, broadcasting where they have several inputs. */
export const elementwise: readonly Entry[] = [
  ...operatorsOf(['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Max', 'Min'], [2, 2], [], arithmetic),
  operator('Mod', [2, 2], ['fmod'], modulo),
  ...operatorsOf(['Equal', 'Greater', 'Less'], [2, 2], [], (node) => [{ ...pairOf(node), dtype: 'bool' }]),
  ...operatorsOf(['And', 'Or'], [2, 2], [], logical),
  operator('Not', [1, 1], [], logical),
  ...operatorsOf(['Neg', 'Abs', 'Sign', 'Identity'], [1, 1], [], sameAsInput),
  ...operatorsOf(functions, [1, 1], [], floatSameAsInput),
  ...[...activations].flatMap(activationEntries),
  operator('Where', [3, 3], [], where),
  operator('Cast', [1, 1], ['to'], cast),
];
