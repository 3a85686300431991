import { describe, expect, it } from 'vitest';
import { differentiate } from '../../src/autodiff/index.js';
import { NativeEngine } from '../../src/engines/native/index.js';
import { lowerGraph } from '../../src/engines/native/lower/index.js';
import { targetNamed } from '../../src/engines/native/toolchain/target.js';
import { onnxruntimeEngine } from '../../src/engines/onnxruntime/index.js';
import { isLossledgerError } from '../../src/errors.js';
import { deviationsOf, drawnApplications, problemsOf } from '../support/chunk-cases.js';
import { chunkProblem } from '../support/chunk-problem.js';
import type { ChunkApplication } from '../support/operators/lift.js';

/** Of the largest component or 1, for the gradient of each application. */
const bounds = { native: 1e-6, onnxruntime: 1e-5 };
/** ONNX Runtime sums whole channels in float32; two numbers close to each other lose as many digits as they share. */
const normalisationBound = 1e-3;

/** A chunk of one example, less and more than a vector of examples, whole vectors on every processor. */
const chunks = [1, 7, 19, 32];
const applicationsOf = (examples: number): ChunkApplication[] =>
  drawnApplications(examples === 32 ? 1 : 2, examples);

/** Why the native engine refuses an application, with the operator that it names; null where it takes it. */
function refusal(application: ChunkApplication, examples: number): string | null {
  const graph = differentiate(chunkProblem([application], examples, 1).graph);
  try {
    lowerGraph(graph, targetNamed('avx2'));
    return null;
  } catch (error) {
    if (!isLossledgerError(error)) throw error;
    const { given, expected } = error.problem;
    const operator = given.split(' ')[0]!;
    return expected.startsWith('one of ') ? `${operator} is not known` : `${operator} wants ${expected}`;
  }
}

const native = new NativeEngine();
const absence = await native.available();
if (!absence.ok) console.log(`skipped on native: ${absence.reason}`);

function exceeding(deviations: Awaited<ReturnType<typeof deviationsOf>>, bound: number): unknown[] {
  return deviations.filter(({ of, size }) => {
    const isNormalised = of !== 'loss' && bound !== bounds.native && of.includes('Norm');
    return !(size < (isNormalised ? normalisationBound : bound));
  });
}

describe('loss and gradient of chunks through each operator agree with the reference engine', () => {
  it.each(chunks)('on onnxruntime, %d examples', async (examples) => {
    for (const problem of problemsOf(applicationsOf(examples), examples)) {
      expect(exceeding(await deviationsOf(onnxruntimeEngine('cpu'), problem), bounds.onnxruntime)).toEqual(
        [],
      );
    }
  });

  it.skipIf(!absence.ok).each(chunks)('on native, %d examples', async (examples) => {
    const known = applicationsOf(examples).filter((given) => refusal(given, examples) === null);
    for (const problem of problemsOf(known, examples)) {
      expect(exceeding(await deviationsOf(native, problem), bounds.native)).toEqual([]);
    }
  });
});

describe('the native engine', () => {
  const refused = new Map<string, Set<string>>();
  const taken = new Set<string>();
  for (const application of chunks.flatMap((examples) => drawnApplications(20, examples))) {
    const examples = application.inputs.find((input) => input?.hasExamples)?.spec.shape[0] ?? 1;
    const reason = refusal(application, examples);
    if (reason === null) taken.add(application.op);
    else refused.set(application.op, (refused.get(application.op) ?? new Set()).add(reason));
  }

  it('takes these operators', () => {
    expect([...taken].sort()).toMatchInlineSnapshot(`
      [
        "Abs",
        "Add",
        "And",
        "AveragePool",
        "BatchNormTraining",
        "Cast",
        "Clip",
        "Conv",
        "ConvTranspose",
        "Div",
        "Elu",
        "Equal",
        "Erf",
        "Exp",
        "Expand",
        "Flatten",
        "Gelu",
        "Gemm",
        "GlobalAveragePool",
        "Greater",
        "HardSigmoid",
        "HardSwish",
        "Identity",
        "LeakyRelu",
        "Less",
        "Log",
        "MatMul",
        "Max",
        "MaxPool",
        "Min",
        "Mul",
        "Neg",
        "Not",
        "Or",
        "Pow",
        "Reciprocal",
        "Relu",
        "Reshape",
        "Selu",
        "Sigmoid",
        "Sign",
        "SoftmaxCrossEntropyLoss",
        "Softplus",
        "Sqrt",
        "Squeeze",
        "Sub",
        "Tanh",
        "Unsqueeze",
        "Where",
      ]
    `);
  });

  it('refuses these, wholly or in part, and names the operator', () => {
    const sorted = [...refused].map(([op, reasons]) => [op, [...reasons].sort()] as const);
    expect(Object.fromEntries(sorted)).toMatchInlineSnapshot(`
      {
        "Add": [
          "Add wants float32 numbers and bools",
          "Add wants operands of the same shape, or one number per example, channel or element",
          "ReduceSum wants a sum over the examples",
        ],
        "And": [
          "And wants inputs of uint8, bool, int32, float32 with the examples on axis 0",
          "And wants operands of the same shape, or one number per example, channel or element",
        ],
        "BatchNormalization": [
          "BatchNormalization is not known",
        ],
        "Cast": [
          "Cast wants a cast to float32",
          "Cast wants float32 numbers and bools",
        ],
        "Concat": [
          "Concat is not known",
        ],
        "Div": [
          "Div wants float32 numbers and bools",
          "Div wants operands of the same shape, or one number per example, channel or element",
          "ReduceSum wants a sum over the examples",
        ],
        "Einsum": [
          "Einsum is not known",
        ],
        "Equal": [
          "Equal wants float32 numbers and bools",
          "Equal wants operands of the same shape, or one number per example, channel or element",
        ],
        "Expand": [
          "Expand wants operands of the same shape, or one number per example, channel or element",
          "ReduceSum wants a sum over the examples",
        ],
        "Gather": [
          "Gather is not known",
        ],
        "Greater": [
          "Greater wants float32 numbers and bools",
          "Greater wants operands of the same shape, or one number per example, channel or element",
        ],
        "GroupNormalization": [
          "GroupNormalization is not known",
        ],
        "InstanceNormalization": [
          "InstanceNormalization is not known",
        ],
        "LayerNormalization": [
          "LayerNormalization is not known",
        ],
        "Less": [
          "Less wants float32 numbers and bools",
          "Less wants operands of the same shape, or one number per example, channel or element",
        ],
        "LogSoftmax": [
          "LogSoftmax is not known",
        ],
        "MatMul": [
          "MatMul wants matrices",
        ],
        "Max": [
          "Max wants operands of the same shape, or one number per example, channel or element",
          "ReduceSum wants a sum over the examples",
        ],
        "Min": [
          "Min wants operands of the same shape, or one number per example, channel or element",
          "ReduceSum wants a sum over the examples",
        ],
        "Mul": [
          "Mul wants float32 numbers and bools",
          "Mul wants operands of the same shape, or one number per example, channel or element",
          "ReduceSum wants a sum over the examples",
        ],
        "Or": [
          "Or wants inputs of uint8, bool, int32, float32 with the examples on axis 0",
          "Or wants operands of the same shape, or one number per example, channel or element",
        ],
        "Pad": [
          "Pad is not known",
        ],
        "Pow": [
          "Log wants constants that do not vary by example",
          "Log wants examples that stay on axis 0",
          "Pow wants operands of the same shape, or one number per example, channel or element",
          "ReduceSum wants a sum over the examples",
          "Sub wants constants that do not vary by example",
          "Sub wants examples that stay on axis 0",
        ],
        "ReduceMax": [
          "ReduceMax is not known",
        ],
        "ReduceMean": [
          "ReduceMean is not known",
        ],
        "ReduceSum": [
          "ReduceSum wants a sum over the examples",
        ],
        "Slice": [
          "Slice is not known",
        ],
        "Softmax": [
          "Softmax is not known",
        ],
        "SoftmaxCrossEntropyLoss": [
          "SoftmaxCrossEntropyLoss wants constant class weights, and reduction=sum with them",
        ],
        "Split": [
          "Split is not known",
        ],
        "Sub": [
          "ReduceSum wants a sum over the examples",
          "Sub wants operands of the same shape, or one number per example, channel or element",
        ],
        "Tile": [
          "Tile is not known",
        ],
        "Transpose": [
          "Transpose wants a parameter or its gradient",
        ],
        "Where": [
          "ReduceSum wants a sum over the examples",
          "Where wants inputs of uint8, bool, int32, float32 with the examples on axis 0",
          "Where wants operands of the same shape, or one number per example, channel or element",
        ],
      }
    `);
  });
});
