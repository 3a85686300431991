import { expect, it } from 'vitest';
import { smallNetwork } from '../../../test/support/small-network.js';
import { engineNamed, openProgram } from '../registry.js';
import type { Program } from '../types.js';

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
