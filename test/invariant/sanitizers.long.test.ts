import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differentiate } from '../../src/autodiff/index.js';
import { lowerToSteps } from '../../src/engines/native/lower/index.js';
import { findCompiler } from '../../src/engines/native/toolchain/compiler.js';
import { parameterCount, sizeOf } from '../../src/graph/types.js';
import { deviationsFrom, drawnApplications, problemsOf } from '../support/chunk-cases.js';
import { evaluateChecked, sanitizerObstacle } from '../support/checked-program.js';
import { byteLayers, byteProblem } from '../support/byte-problem.js';
import { type ChunkProblem, chunkProblem } from '../support/chunk-problem.js';
import { layers, winograd } from '../support/operators/layers.js';
import type { ChunkApplication } from '../support/operators/lift.js';
import { residualNorm, residualNorms } from '../support/residual-norms.js';
import { randomFrom } from '../support/samples.js';

const search = findCompiler();
const obstacle = search.compiler === null ? search.reason : await sanitizerObstacle(search.compiler);
if (obstacle !== null) console.log(`skipped: no sanitizers here: ${obstacle}`);
const compiler = search.compiler!;

/** The last vector of examples is not full on any processor. */
const examples = 19;
const bound = 1e-5;

function isKnown(application: ChunkApplication): boolean {
  try {
    lowerToSteps(differentiate(chunkProblem([application], examples, 1).graph), compiler.target);
    return true;
  } catch {
    return false;
  }
}

async function expectSound(problems: readonly ChunkProblem[], by = compiler): Promise<void> {
  for (const problem of problems) {
    const deviations = await deviationsFrom(await evaluateChecked(by, problem), problem);
    expect(deviations.filter(({ of, size }) => !(size < (of === 'loss' ? 10 * bound : bound)))).toEqual([]);
  }
}

describe.skipIf(obstacle !== null)('generated C under address and undefined-behaviour sanitizers', () => {
  it('each operator', async () => {
    await expectSound(problemsOf(drawnApplications(1, examples).filter(isKnown), examples));
  });

  it.each(Object.entries({ ...layers, 'products of Winograd': winograd }))('%s', async (_, make) => {
    await expectSound(problemsOf(fc.sample(make(examples), { numRuns: 4, seed: 4 }), examples));
  }); // prettier-ignore

  it('layers of bytes by a matrix unit', async () => {
    const split = { ...compiler, target: { ...compiler.target, matrixUnit: 'emulated' } } as const;
    const drawn = fc.sample(byteLayers, { numRuns: 12, seed: 5 });
    await expectSound([byteProblem(drawn, examples, 5)], split);
  });

  it.each(residualNorms)('a normalisation %s, strip by strip', async (name) => {
    for (const norm of ['layer', 'rms'] as const) {
      const graph = residualNorm(name, norm, { examples, tokens: 43, width: 40 });
      const random = randomFrom(1);
      const draw = (count: number): number[] => Array.from({ length: count }, () => random() - 0.5);
      const feeds = Object.fromEntries(
        graph.inputs.map((input) => [input.name, Float32Array.from(draw(sizeOf(input.shape)))]),
      );
      const theta = Float64Array.from(draw(parameterCount(graph.parameters)));
      const { loss, gradient } = await evaluateChecked(compiler, { graph, theta, feeds });
      expect([loss, ...gradient].every(Number.isFinite)).toBe(true);
    }
  }); // prettier-ignore

  const loss: ChunkApplication = {
    op: 'SoftmaxCrossEntropyLoss',
    inputs: [
      { spec: { shape: [examples, 3], domain: 'any' }, hasExamples: true },
      { spec: { shape: [examples], dtype: 'int32', below: 3 }, hasExamples: true },
    ],
    attributes: { reduction: 'sum' },
  };
  const problem = chunkProblem([loss], examples, 1);

  it('a label beyond the classes reads nothing outside, and gives a NaN', async () => {
    const labels = Int32Array.from({ length: examples }, (_, n) => (n === 3 ? 1_000_000 : n === 4 ? -7 : 0));
    const feeds = { ...problem.feeds, 'case0.1': labels };
    expect((await evaluateChecked(compiler, { ...problem, feeds })).loss).toBeNaN();
  }); // prettier-ignore

  const faults = [
    { what: 'reads a fed array beyond its end', from: /for \(; e < end; e\+\+\)/, to: 'for (; e <= end; e++)' },
    {
      what: 'writes beyond a tensor in the arena',
      from: /(for \(long c = 0; c )<( 3; c\+\+\) y\[c\] = y\[c\])/,
      to: '$1<=$2',
    },
    { what: 'writes beyond sums', from: /\*(sums0) \+= sum/, to: '$1[1] += sum' },
  ];
  it.each(faults)('notice code that $what', async ({ from, to }) => {
    const seeded = (source: string): string => {
      expect(source).toMatch(from);
      return source.replace(from, to);
    };
    await expect(evaluateChecked(compiler, problem, seeded)).rejects.toThrow(/AddressSanitizer/);
  }); // prettier-ignore
}); // prettier-ignore
