import { describe, expect, it } from 'vitest';
import { residualNorm } from '../../../../test/support/residual-norms.js';
import { differentiate } from '../../../autodiff/index.js';
import { attachLoss } from '../../../graph/loss.js';
import { languageModel } from '../../../models/transformers.js';
import { lowerToSteps } from '../lower/index.js';
import { targetNamed } from '../toolchain/target.js';
import { planModule } from './memory.js';
import type { StoredObject } from './objects.js';
import type { Run } from './strips.js';

const target = targetNamed('avx512');
const extents = { examples: 32, tokens: 64, width: 64 };

const stepsOf = (name: string, own = extents, norm: 'layer' | 'rms' = 'layer') =>
  lowerToSteps(differentiate(residualNorm(name, norm, own)), target);

const runsIn = (...of: Parameters<typeof stepsOf>): Run[] =>
  planModule(stepsOf(...of), target).phases.flatMap(({ sections }) => sections.flatMap(({ runs }) => runs));

/** Runs of several steps, by what their kernels are called. */
const joined = (runs: readonly Run[]): string[] =>
  runs
    .filter(({ parts }) => parts > 1)
    .map(({ steps }) => steps.map((step) => step.function.label).join(' '));

describe('steps that go strip by strip', () => {
  it('are a layer with its residual, and the normalisation of the sum', () => {
    expect(joined(runsIn('behind a layer and a residual'))[0]).toBe('dense_64to64 example_norm');
    expect(joined(runsIn('behind a layer alone'))[0]).toBe('dense_64to64 example_norm');
  });

  it('are all passes of an RMS normalisation, both ways', () => {
    const runs = joined(runsIn('of two blocks', extents, 'rms'));
    expect(runs).toContain('dense_64to64 fold_rows map map map');
    expect(runs.filter((run) => /^dense_64to64 .*fold_rows map map/.test(run)).length).toBeGreaterThan(1);
  });

  it('are a sum and its normalisation where no layer makes it', () => {
    expect(joined(runsIn('of a sum without a layer'))).toContain('map example_norm');
  });

  it('are the gradient of a normalisation, with those of scale and bias, and of the residual beside it', () => {
    const runs = joined(runsIn('of two blocks'));
    expect(runs).toContain('dense_64to64 example_norm_gradient map token_sums');
  });

  it('are the heads of attention, both ways', () => {
    const size = { width: 16, layers: 1, heads: 2, tokens: 8, kinds: 7 };
    const transform = { dtype: 'uint8', divisor: 1, mean: [], std: [] } as const;
    const forward = languageModel('gpt', false, size).build({ examples: 16, training: false, transform });
    const graph = differentiate(attachLoss(forward, { loss: 'softmaxCrossEntropy', classAxis: 2 }));
    const { phases } = planModule(lowerToSteps(graph, target), target);
    const runs = joined(phases.flatMap(({ sections }) => sections.flatMap((section) => section.runs)));
    expect(runs).toContain('product_8x8x8 causal_softmax product_8x8x8');
    expect(runs).toContain('product_8x8x8 causal_softmax_gradient product_8x8x8 product_8x8x8');
  });

  it('are none where an example is one row', () => {
    expect(joined(runsIn('behind a layer and a residual', { ...extents, tokens: 1 }))).toEqual([]);
  });

  it('are cut where the tiles of the layer begin', () => {
    const [run] = runsIn('behind a layer and a residual').filter(({ parts }) => parts > 1);
    const { bounds } = run!;
    expect(bounds.length).toBeGreaterThan(2);
    expect(bounds.at(-1)).toBe(64);
    // 64 tokens are twelve tiles of five and one of four.
    expect(bounds.slice(0, -1).every((bound) => bound % 5 === 0)).toBe(true);
  });

  it.each(['of two blocks', 'of a sum that two of them want'])(
    'are each done once, behind what they need (%s)',
    (name) => {
      const lowered = stepsOf(name);
      const { phases } = planModule(lowered, target);
      const order = phases.flatMap(({ sections, closing }) => [
        ...sections.flatMap(({ runs }) => runs.flatMap(({ steps }) => steps)),
        ...closing,
      ]);
      expect(order).toHaveLength(lowered.steps.length);
      expect(new Set(order)).toEqual(new Set(lowered.steps));
      const made = new Set<StoredObject>();
      for (const { arguments: own } of order) {
        for (const { object, access } of own) {
          if (object.kind === 'tensor' && access === 'read') expect(made).toContain(object);
        }
        for (const { object, access } of own) if (access === 'write') made.add(object);
      }
    },
  );

  it('have memory for a strip of what nothing else uses', () => {
    const lowered = stepsOf('of two blocks');
    const { layout } = planModule(lowered, target);
    const gradient = lowered.steps.find((step) => step.function.label === 'example_norm_gradient')!;
    const scopes = [...layout.plan.places].filter(([tensor]) =>
      gradient.arguments.some(({ object }) => object === tensor),
    );
    expect(scopes.map(([, { scope }]) => scope)).toContain('strip');
  });
});
