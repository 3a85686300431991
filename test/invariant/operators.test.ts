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
        "Add",
        "AveragePool",
        "BatchNormTraining",
        "Cast",
        "Conv",
        "ConvTranspose",
        "Div",
        "Exp",
        "Expand",
        "Flatten",
        "Gemm",
        "GlobalAveragePool",
        "Identity",
        "LeakyRelu",
        "MatMul",
        "MaxPool",
        "Mul",
        "Neg",
        "Relu",
        "Reshape",
        "SoftmaxCrossEntropyLoss",
        "Sqrt",
        "Squeeze",
        "Sub",
        "Unsqueeze",
      ]
    `);
  });

  it('refuses these, wholly or in part, and names the operator', () => {
    const sorted = [...refused].map(([op, reasons]) => [op, [...reasons].sort()] as const);
    expect(Object.fromEntries(sorted)).toMatchInlineSnapshot(`
      {
        "Abs": [
          "Abs is not known",
        ],
        "Add": [
          "Add wants float32 numbers",
          "Add wants operands of the same shape, or one number per example, channel or element",
          "ReduceSum wants a sum over the examples",
        ],
        "And": [
          "And is not known",
        ],
        "BatchNormalization": [
          "BatchNormalization is not known",
        ],
        "Cast": [
          "Cast wants float32 numbers",
          "Cast wants inputs of uint8, bool, int32, float32 with the examples on axis 0",
        ],
        "Clip": [
          "Clip is not known",
        ],
        "Concat": [
          "Concat is not known",
        ],
        "Div": [
          "Div wants float32 numbers",
          "Div wants operands of the same shape, or one number per example, channel or element",
          "ReduceSum wants a sum over the examples",
        ],
        "Einsum": [
          "Einsum is not known",
        ],
        "Elu": [
          "Elu is not known",
        ],
        "Equal": [
          "Equal is not known",
        ],
        "Erf": [
          "Erf is not known",
        ],
        "Expand": [
          "Expand wants operands of the same shape, or one number per example, channel or element",
          "ReduceSum wants a sum over the examples",
        ],
        "Gather": [
          "Gather is not known",
        ],
        "Gelu": [
          "Gelu is not known",
        ],
        "Greater": [
          "Greater is not known",
        ],
        "GroupNormalization": [
          "GroupNormalization is not known",
        ],
        "HardSigmoid": [
          "HardSigmoid is not known",
        ],
        "HardSwish": [
          "HardSwish is not known",
        ],
        "InstanceNormalization": [
          "InstanceNormalization is not known",
        ],
        "LayerNormalization": [
          "LayerNormalization is not known",
        ],
        "Less": [
          "Less is not known",
        ],
        "Log": [
          "Log is not known",
        ],
        "LogSoftmax": [
          "LogSoftmax is not known",
        ],
        "MatMul": [
          "MatMul wants matrices",
        ],
        "Max": [
          "Max is not known",
        ],
        "Min": [
          "Min is not known",
        ],
        "Mul": [
          "Mul wants float32 numbers",
          "Mul wants operands of the same shape, or one number per example, channel or element",
          "ReduceSum wants a sum over the examples",
        ],
        "Not": [
          "Not is not known",
        ],
        "Or": [
          "Or is not known",
        ],
        "Pad": [
          "Pad is not known",
        ],
        "Pow": [
          "Pow is not known",
        ],
        "Reciprocal": [
          "Reciprocal is not known",
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
        "Selu": [
          "Selu is not known",
        ],
        "Sigmoid": [
          "Sigmoid is not known",
        ],
        "Sign": [
          "Sign is not known",
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
        "Softplus": [
          "Softplus is not known",
        ],
        "Split": [
          "Split is not known",
        ],
        "Sub": [
          "ReduceSum wants a sum over the examples",
          "Sub wants operands of the same shape, or one number per example, channel or element",
        ],
        "Tanh": [
          "Tanh is not known",
        ],
        "Tile": [
          "Tile is not known",
        ],
        "Transpose": [
          "Transpose wants a parameter or its gradient",
        ],
        "Where": [
          "Where is not known",
        ],
      }
    `);
  });
});
