import { gradientOperatorOf } from '../../../graph/activations/define.js';
import type { FormulaFunction, Language } from '../../../graph/activations/formula.js';
import { writeFormula } from '../../../graph/activations/formula.js';
import { activations } from '../../../graph/activations/table.js';
import type { Emitter } from '../../../onnx/standard/emitter.js';
import type { Lowering, LoweringTable } from '../../../onnx/standard/lowering.js';

/** Functions that ONNX has as one operator. */
const operators: Partial<Record<FormulaFunction, string>> = {
  add: 'Add',
  subtract: 'Sub',
  multiply: 'Mul',
  negate: 'Neg',
  maximum: 'Max',
  exponential: 'Exp',
  tanh: 'Tanh',
  errorFunction: 'Erf',
  sigmoid: 'Sigmoid',
};

function emitFunction(emit: Emitter, fn: FormulaFunction, args: readonly string[]): string {
  const [a, b, yes, no] = args;
  if (fn === 'ifGreater') return emit.add('Where', [emit.add('Greater', [a!, b!]), yes!, no!]);
  if (fn === 'exponentialLessOne') return emit.add('Sub', [emit.add('Exp', [a!]), emit.scalar(1)]);
  if (fn === 'logarithmOfOneMore') return emit.add('Log', [emit.add('Add', [emit.scalar(1), a!])]);
  return emit.add(operators[fn]!, args);
}

function onnxOf(emit: Emitter): Language<string> {
  return {
    number: (value) => emit.scalar(value),
    apply: (fn, args) => emitFunction(emit, fn, args),
    over: (of, divisor) => emit.add('Mul', [of, emit.scalar(1 / divisor)]),
  };
}

/** Whole gradient operators of the activations, each as what its formula says. */
export const activationGradients: LoweringTable = Object.fromEntries(
  [...activations].map(([name, { formulas }]): [string, Lowering] => [
    gradientOperatorOf(name),
    (emit, node, [dy, at]) =>
      writeFormula(formulas(node).gradient, { dy: dy!, x: at!, y: at! }, onnxOf(emit)),
  ]),
);
