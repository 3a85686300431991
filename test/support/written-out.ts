import { describe, expect, it } from 'vitest';
import { differentiate } from '../../src/autodiff/index.js';
import { NativeEngine } from '../../src/engines/native/index.js';
import { loadRuntime, runtimePath } from '../../src/engines/onnxruntime/runtime.js';
import { referenceEngine } from '../../src/engines/reference/index.js';
import type { Engine } from '../../src/engines/types.js';
import { GraphBuilder } from '../../src/graph/builder.js';
import { attachLoss } from '../../src/graph/loss.js';
import { parameterCount } from '../../src/graph/types.js';
import { readOnnx } from '../../src/onnx/index.js';
import type { InitializerSpec, NodeSpec } from '../../src/onnx/protobuf/encode.js';
import { node, tensor } from './onnx-model.js';
import { randomFrom } from './samples.js';

/** Inputs [N, T, width] of the models that are tried, and the products of a kernel with them [N, T, hidden]. */
export const [examples, steps, width, hidden] = [2, 3, 2, 3] as const;

/** Numbers for the models of a file of tests, the same ones in the same order each time. */
export function drawing() {
  const random = randomFrom(5);
  /** Numbers in ±1. */
  const draw = (length: number): number[] => Array.from({ length }, () => 2 * random() - 1);
  /** A kernel, and what is made of its products `h` [N, T, 3]. */
  const behindKernel = (nodes: NodeSpec[], initializers: InitializerSpec[] = []) => ({
    initializers: [tensor('k.weight', [width, hidden], draw(width * hidden)), ...initializers],
    nodes: [node('MatMul', ['input', 'k.weight'], ['h']), ...nodes],
  });
  return { draw, behindKernel };
}

/** The network with the mean of squares of its outputs as loss, by an engine. */
async function squares(bytes: Uint8Array, x: Float32Array, engine: Engine = referenceEngine) {
  const builder = new GraphBuilder('graph');
  const input = builder.input('x', 'float32', [examples, steps, width]);
  const output = readOnnx(bytes).addTo(builder, input);
  const graph = differentiate(attachLoss(builder.build([output]), { loss: 'squaredError' }));
  const size = output.shape.reduce((a, b) => a * b);
  const program = await engine.compile(graph);
  const theta = Float64Array.from(
    graph.parameters.flatMap(({ initializer }) =>
      initializer.kind === 'values' ? [...initializer.data] : [],
    ),
  );
  const lossAt = (at: Float64Array, labels: Float32Array, gradient?: Float64Array) => {
    program.load(at);
    return program.run({ x, labels }, gradient);
  };
  return { lossAt, theta, size, count: parameterCount(graph.parameters) };
}

const native = new NativeEngine();

/**
 * Tries models of one input and their gradients: computed by ONNX Runtime, by differences of the loss on the reference engine, and by the
 * native engine, but for those that it refuses, with what it says.
 */
export function describeWrittenOut(
  models: Readonly<Record<string, Uint8Array>>,
  refused: Readonly<Record<string, string>> = {},
): void {
  const x = Float32Array.from(drawing().draw(examples * steps * width));
  describe.each(Object.entries(models))('%s, written out', (name, bytes) => {
    it(refused[name] === undefined ? 'is the same on the native engine' : 'is refused by the native engine', async ({ skip }) => {
      const absence = await native.available();
      if (!absence.ok) skip(absence.reason);
      if (refused[name] !== undefined) {
        await expect(squares(bytes, x, native)).rejects.toThrow(refused[name]);
        return;
      }
      const [own, right] = [await squares(bytes, x, native), await squares(bytes, x)];
      const labels = Float32Array.from({ length: own.size }, (__, k) => Math.sin(k));
      const gradients = [new Float64Array(own.count), new Float64Array(own.count)] as const;
      const loss = await own.lossAt(own.theta, labels, gradients[0]);
      expect(loss / (await right.lossAt(own.theta, labels, gradients[1]))).toBeCloseTo(1, 5);
      const largest = Math.max(...gradients[1].map(Math.abs));
      for (const [k, component] of gradients[1].entries())
        expect(Math.abs(gradients[0][k]! - component) / largest).toBeLessThan(2e-6);
    }); // prettier-ignore

    it('computes what ONNX Runtime does', async ({ skip }) => {
      if (runtimePath() === null) skip('onnxruntime-node is not installed');
      const ort = loadRuntime();
      const session = await ort.InferenceSession.create(bytes);
      const { y } = await session.run({ input: new ort.Tensor('float32', x, [examples, steps, width]) });
      const { lossAt, theta, size } = await squares(bytes, x);
      const expected = Float32Array.from(y!.data as Float32Array);
      expect(expected.length).toBe(size);
      expect(await lossAt(theta, expected)).toBeLessThan(1e-12);
      expect(
        await lossAt(
          theta,
          expected.map((value) => value + 1),
        ),
      ).toBeGreaterThan(1);
    });

    it('has the gradient of finite differences', async () => {
      const { lossAt, theta, size, count } = await squares(bytes, x);
      const labels = Float32Array.from({ length: size }, (__, k) => Math.sin(k));
      const gradient = new Float64Array(count);
      await lossAt(theta, labels, gradient);
      expect(gradient.some((value) => Math.abs(value) > 1e-3)).toBe(true);
      for (let k = 0; k < count; k++) {
        const at = (shift: number) =>
          lossAt(
            theta.map((value, i) => (i === k ? value + shift : value)),
            labels,
          );
        const difference = ((await at(1e-5)) - (await at(-1e-5))) / 2e-5;
        expect(Math.abs(difference - gradient[k]!)).toBeLessThan(1e-7);
      }
    });
  });
}
