import { beforeAll, describe, expect, it } from 'vitest';
import { engineNamed } from '../../src/engines/registry.js';
import type { Program } from '../../src/engines/types.js';
import { errorDistances, gradientRounding, tensorScales } from '../../src/ledger/certainty.js';
import { layoutOfGraph } from '../../src/ledger/layout.js';
import { fold, key, normal } from '../../src/num/random.js';
import { integrate } from '../../src/quadrature/integrate.js';
import type { Integrand, IntegrationSettings } from '../../src/quadrature/types.js';
import { twoLayers } from '../support/two-layers.js';

const examples = 200;
const [width, hidden, classes] = [10, 16, 4];

const graph = twoLayers({ examples, width, hidden, classes });
const layout = layoutOfGraph(graph);
const seeds = [1, 2, 3, 4];
const steps = 4;

function feedsOf(seed: number) {
  const labels = normal(fold(key(seed), 'labels'), examples).map((value) => Math.abs(Math.round(3 * value)) % classes); // prettier-ignore
  return {
    x: Float32Array.from(normal(fold(key(seed), 'x'), examples * width)),
    labels: Int32Array.from(labels),
  };
}

/** s ↦ mean loss and gradient on the way from one θ to another; one after the other, since a program has one θ. */
function along(program: Program, seed: number, from: Float32Array, delta: Float64Array): Integrand {
  const evaluate = async (s: number) => {
    program.load(delta.map((step, k) => from[k]! + s * step));
    const gradient = new Float64Array(layout.size);
    const loss = (await program.run(feedsOf(seed), gradient)) / examples;
    return [{ loss, gradient: gradient.map((value) => value / examples) }];
  };
  let last: Promise<unknown> = Promise.resolve();
  return (s) => {
    const next = last.then(() => evaluate(s));
    last = next;
    return next;
  };
}

/** θ_0 … θ_steps of gradient descent with long steps. */
async function trajectory(program: Program, seed: number): Promise<Float32Array[]> {
  const rows = [Float32Array.from(normal(fold(key(seed), 'theta'), layout.size), (value) => 0.4 * value)];
  for (let t = 0; t < steps; t++) {
    const [start] = await along(program, seed, rows[t]!, new Float64Array(layout.size))(0, 'gradient');
    rows.push(rows[t]!.map((value, k) => value - 0.5 * start!.gradient[k]!));
  }
  return rows;
}

const settings = (subintervals: number): IntegrationSettings => ({
  rule: 'simpson', tolerance: null, subintervals, maxSubintervals: subintervals, certify: 0,
}); // prettier-ignore

/** Of all entries that are not zero. */
interface Shares {
  readonly held: number;
  readonly open: number;
  /** Of the certain ones. */
  readonly wrong: number;
}

async function sharesOf(own: Program, exact: Program): Promise<Shares> {
  const counts = { entries: 0, held: 0, open: 0, wrong: 0 };
  for (const seed of seeds) {
    const rows = await trajectory(exact, seed);
    for (let t = 0; t < steps; t++) {
      const delta = Float64Array.from(rows[t + 1]!, (end, k) => end - rows[t]![k]!);
      const truth = (await integrate(along(exact, seed, rows[t]!, delta), delta, settings(32)))
        .meanGradient[0]!;
      const { meanGradient, meanError } = await integrate(
        along(own, seed, rows[t]!, delta),
        delta,
        settings(2),
      );
      const scales = tensorScales(meanGradient[0]!, layout);
      for (const [tensor, { offset, size }] of layout.tensors.entries()) {
        for (let k = offset; k < offset + size; k++) {
          const gradient = meanGradient[0]![k]!;
          if (delta[k]! * gradient === 0) continue;
          const bound =
            errorDistances * Math.abs(meanError![0]![k]!) + gradientRounding.float32 * scales[tensor]!;
          const isOpen = Math.abs(gradient) <= bound;
          counts.entries++;
          counts.held += Number(Math.abs(gradient - truth[k]!) <= bound);
          counts.open += Number(isOpen);
          counts.wrong += Number(!isOpen && Math.sign(gradient) !== Math.sign(truth[k]!));
        }
      }
    }
  }
  const { entries, held, open, wrong } = counts;
  return { held: held / entries, open: open / entries, wrong: wrong / (entries - open) };
}

describe('errors of single allocations against float64 and many points', () => {
  const programs: Partial<Record<'reference' | 'onnxruntime', Program>> = {};
  beforeAll(async () => {
    for (const name of ['reference', 'onnxruntime'] as const)
      programs[name] = await (await engineNamed(name)).compile(graph);
    return async () => {
      for (const program of Object.values(programs)) await program.dispose();
    };
  });

  it.each(['reference', 'onnxruntime'] as const)(
    'hold for most, and certain signs are right (%s)',
    async (engine) => {
      const { held, open, wrong } = await sharesOf(programs[engine]!, programs.reference!);
      expect(held).toBeGreaterThan(0.94);
      expect(wrong).toBeLessThan(0.001);
      expect(open).toBeGreaterThan(0);
      expect(open).toBeLessThan(0.06);
    },
  );
});
