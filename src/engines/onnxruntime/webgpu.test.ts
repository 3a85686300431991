import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { operatorCases } from '../../../test/support/operator-cases.js';
import { differentiate } from '../../autodiff/index.js';
import { referenceEngine } from '../reference/index.js';
import type { Engine } from '../types.js';
import { onnxruntimeEngine } from './index.js';

const webgpu = onnxruntimeEngine('webgpu');
const availability = await webgpu.available();
if (!availability.ok) {
  console.log(
    `skipped: no WebGPU adapter (${availability.reason}); Debian's chromium package brings a software one: ` +
      'VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json LD_LIBRARY_PATH=/usr/lib/chromium',
  );
}

const operators = ['Gemm', 'MatMul', 'Relu', 'Tanh', 'Softmax', 'SoftmaxCrossEntropyLoss', 'Conv', 'MaxPool'];

describe.skipIf(!availability.ok)('the WebGPU provider', () => {
  it.each(operators)('agrees with the reference engine on %s', async (op) => {
    for (const { graph, theta, feeds } of fc.sample(operatorCases.get(op)!, { numRuns: 3, seed: 1 })) {
      const evaluate = async (engine: Engine): Promise<number[]> => {
        const program = await engine.compile(differentiate(graph));
        program.load(theta);
        const gradient = new Float64Array(theta.length);
        const loss = await program.run(feeds, gradient);
        await program.dispose();
        return [loss, ...gradient];
      };
      const expected = await evaluate(referenceEngine);
      const actual = await evaluate(webgpu);
      const scale = Math.max(1, ...expected.map(Math.abs));
      const errors = expected.map((value, k) => Math.abs(value - actual[k]!) / scale);
      expect(Math.max(...errors)).toBeLessThan(1e-4);
    }
  });
});
