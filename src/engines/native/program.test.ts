import { expect, it } from 'vitest';
import { smallNetwork } from '../../../test/support/small-network.js';
import { differentiate } from '../../autodiff/index.js';
import { GraphBuilder } from '../../graph/builder.js';
import { attachLoss } from '../../graph/loss.js';
import type { Graph } from '../../graph/types.js';
import { referenceEngine } from '../reference/index.js';
import { engineNamed, openProgram } from '../registry.js';
import type { Engine, Feeds, Program } from '../types.js';
import { generateModule } from './emit/module.js';
import { lowerToSteps } from './lower/index.js';
import { targetNamed } from './toolchain/target.js';

const engine = await engineNamed('native');
const isHere = (await engine.available()).ok;

async function evaluated(program: Program) {
  const { theta, feeds } = smallNetwork();
  const gradient = new Float64Array(theta.length);
  program.load(theta);
  const loss = await program.run(feeds, gradient);
  const { memory } = program;
  await program.dispose();
  return { loss, gradient, memory };
}

/** Loss and gradient. */
async function valuesOf(by: Engine, graph: Graph, theta: Float64Array, feeds: Feeds): Promise<number[]> {
  const program = await by.compile(graph);
  program.load(theta);
  const gradient = new Float64Array(theta.length);
  const loss = await program.run(feeds, gradient);
  await program.dispose();
  return [loss, ...gradient];
}

it.skipIf(!isHere)('becomes in another thread the program that compiling gives', async () => {
  const { graph } = smallNetwork();
  const prepared = await engine.prepare!(graph);
  expect(await evaluated(await openProgram(structuredClone(prepared)))).toEqual(
    await evaluated(await engine.compile(graph)),
  );
});

it.skipIf(!isHere)('has memory of its own each time it is opened', async () => {
  const prepared = await engine.prepare!(smallNetwork().graph);
  const [one, other] = [await openProgram(prepared), await openProgram(prepared)];
  await one.dispose();
  expect((await evaluated(other)).loss).toBeGreaterThan(0);
});

/** A layer of 3 neurons that is applied to what it gives, so many times; the loss is the sum of all that is left. */
function repeatedLayer(times: number): Graph {
  const builder = new GraphBuilder('repeated');
  const options = { layer: 'layer', neuronAxis: 0, initializer: { kind: 'ones' } } as const;
  const weight = builder.parameter('weight', [3, 3], options);
  let state = builder.input('x', 'float32', [19, 3]);
  for (let k = 0; k < times; k++) {
    const product = builder.apply('Gemm', [state, weight], { transB: 1 });
    state = builder.apply('Tanh', [product]);
  }
  return differentiate(builder.build([builder.apply('ReduceSum', [state], { keepdims: 0 })]));
}

it.skipIf(!isHere)('of thousands of steps is the same, its calls as they are written', async () => {
  const graph = repeatedLayer(900);
  const target = targetNamed('portable');
  expect(generateModule(lowerToSteps(graph, target), target).source).toContain('UNOPTIMISED EXPORT double lossledger_run'); // prettier-ignore
  const theta = Float64Array.from([0.9, -0.8, 0.1, 0.7, 0.9, -0.2, 0.3, 0.1, 1.1]);
  const x = Float32Array.from({ length: 19 * 3 }, (_, k) => Math.sin(k));
  const own = await valuesOf(engine, graph, theta, { x });
  const right = await valuesOf(referenceEngine, graph, theta, { x });
  const largest = Math.max(...right.map(Math.abs));
  for (const [k, value] of right.entries()) expect(Math.abs(own[k]! - value) / largest).toBeLessThan(1e-4);
});

it.skipIf(!isHere).each([false, true])(
  'smooths labels of which some do not count, masked: %s',
  async (masked) => {
    const builder = new GraphBuilder('smoothed');
    const options = { layer: 'layer', neuronAxis: 0, initializer: { kind: 'ones' } } as const;
    const input = builder.input('x', 'float32', [19, 2]);
    const weight = builder.parameter('weight', [3, 2], options);
    const forward = builder.build([builder.apply('Gemm', [input, weight], { transB: 1 })]);
    const graph = differentiate(attachLoss(forward, { loss: 'softmaxCrossEntropy', classAxis: 1, labelSmoothing: 0.2, ignoring: true, masked })); // prettier-ignore
    const feeds = {
      x: Float32Array.from({ length: 38 }, (_, k) => Math.sin(k)),
      labels: Int32Array.from({ length: 19 }, (_, n) => n % 4),
      ...(masked ? { included: Float32Array.from({ length: 19 }, (_, n) => n % 2) } : {}),
    };
    const theta = Float64Array.of(1, -2, 0.5, 0.25, -1, 3);
    const own = await valuesOf(engine, graph, theta, feeds);
    const right = await valuesOf(referenceEngine, graph, theta, feeds);
    for (const [k, value] of right.entries()) expect(own[k]).toBeCloseTo(value, 5);
  },
);

it.skipIf(!isHere)('convolves an input that no window reaches, whose gradient is 0', async () => {
  const builder = new GraphBuilder('unreached');
  const options = { layer: 'layer', neuronAxis: 0, initializer: { kind: 'ones' } } as const;
  const [shift, weight, bias] = ([[1], [2, 1, 1, 1], [2]] as const).map((shape, k) => builder.parameter(`p${k}`, shape, options)); // prettier-ignore
  const moved = builder.apply('Add', [builder.input('x', 'float32', [3, 1, 1, 1]), shift!]);
  const strided = { strides: [2, 2], pads: [1, 1, 1, 1] };
  const y = builder.apply('Conv', [moved, weight!, bias!], strided);
  const graph = differentiate(builder.build([builder.apply('ReduceSum', [y], { keepdims: 0 })]));
  const theta = Float64Array.of(0.5, 2, -1, 0.25, 3);
  const feeds = { x: Float32Array.of(1, 2, 3) };
  const right = await valuesOf(referenceEngine, graph, theta, feeds);
  expect(right).toEqual([12 * 3.25, 0, 0, 0, 12, 12]);
  expect(await valuesOf(engine, graph, theta, feeds)).toEqual(right);
});
