import { beforeAll, describe, expect, it } from 'vitest';
import { goldenFile } from '../../test/support/golden.js';
import { engineNamed } from '../engines/registry.js';
import { lowerToSteps } from '../engines/native/lower/index.js';
import { planAgain } from '../engines/native/plan/again.js';
import { targetNamed } from '../engines/native/toolchain/target.js';
import type { Program } from '../engines/types.js';
import { checkConfig } from '../experiment/config/file.js';
import { objectivePlan, openExperiment } from '../experiment/experiment.js';
import { plainLoops } from '../num/vector-loops.js';
import { key, normal } from '../num/random.js';
import { firstPiecesOf, type Lane, programKinds } from './chunks.js';
import { exampleMasks, feedsOf } from './feeds.js';
import { cellsOf, graphOfKind, type ObjectivePlan, planLanes } from './plan.js';
import { evaluateShared } from './shared-forward.js';
import { makeSlot } from './slots.js';

const chunk = 12;

/** A residual network with batch normalisation on 30 images, by class, in three chunks. */
let plan: ObjectivePlan;
let lanes: Lane[];
beforeAll(async () => {
  const settings = { model: goldenFile('resnet', 'model.onnx'), data: 'mnist', subset: 30, validation: 1000, batchSize: 10, iterations: 1, measure: ['train'], lanes: 2, chunk, parts: ['class'], engine: 'reference' } as const; // prettier-ignore
  plan = objectivePlan(await openExperiment(checkConfig({ ...settings, measure: ['train'], parts: ['class'] }, 'the test'))); // prettier-ignore
  lanes = planLanes(plan);
});
const theta = () => normal(key(1), plan.size).map((value) => 0.1 * value);
const maskedOf = () => ({
  examples: plan.objectives[0]!.examples,
  cells: cellsOf(plan.objectives[0]!.division),
});

/** All programs of the plan, at θ. */
async function programsOn(engine: string): Promise<Map<string, Program>> {
  const compiled = new Map<string, Program>();
  for (const [name, kind] of programKinds(lanes)) {
    const program = await (await engineNamed(engine)).compile(graphOfKind(plan, kind));
    program.load(theta());
    compiled.set(name, program);
  }
  return compiled;
}

describe('cells of chunks with statistics', () => {
  it('have the numbers that a run for each would give, from one run of each chunk and a rerun for every cell but one', async () => {
    const calls: string[] = [];
    const counted = (name: string, program: Program): Program => ({
      ...program,
      run: (...given) => {
        calls.push(`run ${name}`);
        return program.run(...given);
      },
      rerun: (...given) => {
        calls.push(`rerun ${name}`);
        return program.rerun!(...given);
      },
    });
    const programs = await programsOn('reference');
    const slot = makeSlot(plan, lanes);
    const direction = normal(key(2), plan.size);
    slot.directions[0]!.set(direction);
    const firstPieces = firstPiecesOf(lanes);
    const arrays = () => new Float64Array(plan.size);
    const work = {
      programs: new Map([...programs].map(([name, program]) => [name, counted(name, program)])),
      objectives: [maskedOf()],
      masks: exampleMasks,
      strips: plan.strips!,
      scratch: arrays(),
      shared: [arrays(), arrays()],
    };
    const masks = plan.masks ?? exampleMasks;
    for (const [index, lane] of lanes.entries()) {
      expect(lane.sharesForward).toBe(true);
      await evaluateShared({ ...work, masks }, { lane, index, firstPiece: firstPieces[index]! }, slot, { directions: 1, want: 'gradient' }); // prettier-ignore
      for (const [k, { cell, chunks }] of lane.pieces.entries()) {
        if (cell === null) continue;
        const gradient = arrays();
        let loss = 0;
        for (const own of chunks) {
          const { rest, ...plain } = own;
          void rest;
          loss += await programs.get([...programs.keys()].find((name) => name.startsWith(`${own.end - own.start} `))!)!.run(feedsOf(maskedOf(), plain, masks), gradient); // prettier-ignore
        }
        const at = firstPieces[index]! + k;
        expect(slot.losses[at]).toBeCloseTo(loss, 10);
        const slope = slot.slopes[at]![0]!.reduce((total, value) => total + value, 0);
        expect(slope).toBeCloseTo(plainLoops.dotOf(direction, gradient, 0, plan.size), 8);
      }
    }
    const whole = lanes.flatMap(({ pieces }) => pieces[0]!.chunks);
    const cells = lanes.flatMap(({ pieces }) => pieces.slice(1)).flatMap(({ chunks }) => chunks);
    expect(whole).toHaveLength(3);
    expect(cells.length).toBeGreaterThan(15);
    expect(calls.filter((call) => call.startsWith('run'))).toHaveLength(whole.length);
    expect(calls.filter((call) => call.startsWith('rerun'))).toHaveLength(cells.length - whole.length);
  });

  it.for(['reference', 'native'])('have the same bits after a run of others as after one of their own (%s)', async (engine, { skip }) => {
    const available = await (await engineNamed(engine)).available();
    if (!available.ok) skip(available.reason);
    const [name, program] = [...(await programsOn(engine))].find(([own]) => own.startsWith(`${chunk} `))!;
    const fresh = (await programsOn(engine)).get(name)!;
    const [whole, ...cells] = lanes[0]!.pieces;
    const run = async (by: 'run' | 'rerun', of: Program, own: (typeof cells)[number]) => {
      const gradient = new Float64Array(plan.size);
      const loss = await of[by]!(feedsOf(maskedOf(), own.chunks[0]!, plan.masks ?? exampleMasks), gradient);
      return { loss, gradient };
    };
    const all = await run('run', program, whole!);
    for (const own of cells.filter(({ chunks }) => chunks[0]!.start === 0).slice(0, 3)) {
      const again = await run('rerun', program, own);
      expect(again).toEqual(await run('run', fresh, own));
      expect(again.loss).toBeLessThan(all.loss);
    }
    expect(await run('rerun', program, whole!)).toEqual(all);
    const first = feedsOf(maskedOf(), whole!.chunks[0]!, plan.masks ?? exampleMasks);
    for (const by of ['run', 'rerun'] as const) expect(await program[by]!(first)).toBe(all.loss);
    // What only gradients need is not there after a loss alone.
    await program.run(feedsOf(maskedOf(), { ...whole!.chunks[0]!, start: chunk, end: 2 * chunk }, plan.masks ?? exampleMasks));
    await program.run(first);
    expect(await run('rerun', program, whole!)).toEqual(all);
  }); // prettier-ignore

  it('repeat the products of the backward pass alone', () => {
    const [, kind] = [...programKinds(lanes)][0]!;
    const steps = lowerToSteps(graphOfKind(plan, kind), targetNamed('avx2'));
    const again = planAgain(steps)!;
    const products = (of: Iterable<{ multiplyAdds: number }>) => [...of].reduce((total, { multiplyAdds }) => total + multiplyAdds, 0); // prettier-ignore
    expect(products(again.steps) / products(steps.steps)).toBeLessThan(0.67);
  });
}); // prettier-ignore
