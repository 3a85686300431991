import { expect, it } from 'vitest';
import { smallNetwork } from '../../../test/support/small-network.js';
import { differentiate } from '../../autodiff/index.js';
import { GraphBuilder } from '../../graph/builder.js';
import type { Graph } from '../../graph/types.js';
import { referenceEngine } from '../reference/index.js';
import { engineNamed, openProgram } from '../registry.js';
import type { Program } from '../types.js';
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
  const [own, right] = await Promise.all([engine, referenceEngine].map(async (by) => {
    const program = await by.compile(graph);
    program.load(theta);
    const gradient = new Float64Array(9);
    const loss = await program.run({ x }, gradient);
    await program.dispose();
    return [loss, ...gradient];
  })); // prettier-ignore
  const largest = Math.max(...right!.map(Math.abs));
  for (const [k, value] of right!.entries()) expect(Math.abs(own![k]! - value) / largest).toBeLessThan(1e-4);
});
