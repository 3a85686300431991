import { describe, expect, it } from 'vitest';
import { differentiate } from '../../src/autodiff/index.js';
import { NativeEngine } from '../../src/engines/native/index.js';
import { lowerToSteps } from '../../src/engines/native/lower/index.js';
import { targetNamed } from '../../src/engines/native/toolchain/target.js';
import { onnxruntimeEngine } from '../../src/engines/onnxruntime/index.js';
import { isLossledgerError } from '../../src/errors.js';
import { deviationsOf, drawnApplications, problemsOf } from '../support/chunk-cases.js';
import { chunkProblem } from '../support/chunk-problem.js';
import type { ChunkApplication } from '../support/operators/lift.js';

/** Of the largest component or 1, for the gradient of each application. */
const bounds = { native: 1e-6, onnxruntime: 1e-5 };
/** Two numbers close to each other, normalised, lose as many digits as they share; ONNX Runtime sums in float32. */
const normalizationBounds = { native: 1e-4, onnxruntime: 1e-3 };
/** The terms of a loss cancel, which its bound does not know. */
const lossBound = 1e-5;

/** A chunk of one example, less and more than a vector of examples, whole vectors on every processor. */
const chunks = [1, 7, 19, 32];
const applicationsOf = (examples: number): ChunkApplication[] =>
  drawnApplications(examples === 32 ? 1 : 2, examples);

/** Why the native engine refuses an application, with the operator that it names; null where it takes it. */
function refusal(application: ChunkApplication, examples: number): string | null {
  const graph = differentiate(chunkProblem([application], examples, 1).graph);
  try {
    lowerToSteps(graph, targetNamed('avx2'));
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

function exceeding(
  deviations: Awaited<ReturnType<typeof deviationsOf>>,
  engine: 'native' | 'onnxruntime',
): unknown[] {
  return deviations.filter(({ of, size }) => {
    const isNormalized = of.split(' ')[0]!.includes('Norm');
    const bound = (isNormalized ? normalizationBounds : bounds)[engine];
    return !(size < (of === 'loss' ? lossBound : bound));
  });
}

describe('loss and gradient of chunks through each operator agree with the reference engine', () => {
  it.each(chunks)('on onnxruntime, %d examples', async (examples) => {
    for (const problem of problemsOf(applicationsOf(examples), examples)) {
      expect(exceeding(await deviationsOf(onnxruntimeEngine('cpu'), problem), 'onnxruntime')).toEqual([]);
    }
  });

  it.skipIf(!absence.ok).each(chunks)('on native, %d examples', async (examples) => {
    const known = applicationsOf(examples).filter((given) => refusal(given, examples) === null);
    for (const problem of problemsOf(known, examples)) {
      expect(exceeding(await deviationsOf(native, problem), 'native')).toEqual([]);
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
        "Atan",
        "AveragePool",
        "BatchNormTraining",
        "BatchNormalization",
        "Cast",
        "Ceil",
        "Clip",
        "Concat",
        "Conv",
        "ConvTranspose",
        "Cos",
        "Div",
        "Einsum",
        "Elu",
        "Equal",
        "Erf",
        "Exp",
        "Expand",
        "Flatten",
        "Floor",
        "Gelu",
        "Gemm",
        "GlobalAveragePool",
        "Greater",
        "GroupNormalization",
        "HardSigmoid",
        "HardSwish",
        "Identity",
        "InstanceNormalization",
        "LayerNormalization",
        "LeakyRelu",
        "Less",
        "Log",
        "LogSoftmax",
        "MatMul",
        "Max",
        "MaxPool",
        "Min",
        "Mod",
        "Mul",
        "Neg",
        "Not",
        "Or",
        "Pad",
        "Pow",
        "Reciprocal",
        "ReduceMax",
        "ReduceMean",
        "ReduceSum",
        "Relu",
        "Reshape",
        "Round",
        "Selu",
        "Sigmoid",
        "Sign",
        "Sin",
        "Slice",
        "Softmax",
        "SoftmaxCrossEntropyLoss",
        "Softplus",
        "Split",
        "Sqrt",
        "Squeeze",
        "Sub",
        "Tanh",
        "ThresholdedRelu",
        "Tile",
        "Transpose",
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
          "Add wants inputs of uint8, bool, int32, float32, int64 with the examples on axis 0",
        ],
        "And": [
          "And wants inputs of uint8, bool, int32, float32, int64 with the examples on axis 0",
        ],
        "Div": [
          "Div wants inputs of uint8, bool, int32, float32, int64 with the examples on axis 0",
        ],
        "Einsum": [
          "MatMul wants products of examples, parameters and constants",
          "Mul wants constants that do not vary by example",
        ],
        "Equal": [
          "Equal wants inputs of uint8, bool, int32, float32, int64 with the examples on axis 0",
        ],
        "Gather": [
          "Gather wants a table that is a parameter or constant, or indices that are constants",
          "Gather wants elements of each example, at most 2^24",
        ],
        "Greater": [
          "Greater wants inputs of uint8, bool, int32, float32, int64 with the examples on axis 0",
        ],
        "Less": [
          "Less wants inputs of uint8, bool, int32, float32, int64 with the examples on axis 0",
        ],
        "MatMul": [
          "MatMul wants matrices of each example",
          "MatMul wants products within each example",
        ],
        "Mod": [
          "Mod wants inputs of uint8, bool, int32, float32, int64 with the examples on axis 0",
        ],
        "Mul": [
          "Mul wants whole numbers that stay below 2^24",
        ],
        "Or": [
          "Or wants inputs of uint8, bool, int32, float32, int64 with the examples on axis 0",
        ],
        "SoftmaxCrossEntropyLoss": [
          "SoftmaxCrossEntropyLoss wants constant class weights, and reduction=sum with them",
        ],
        "Where": [
          "Mul wants numbers of each example for Where/ReduceSum_1:0",
          "Where wants inputs of uint8, bool, int32, float32, int64 with the examples on axis 0",
        ],
      }
    `);
  });
});
