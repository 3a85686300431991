import { describe, expect, it } from 'vitest';
import {
  halfWidth,
  type HelpingInterval,
  helpingInterval,
  standardErrors,
} from '../../src/analysis/sampling.js';
import { drawSample } from '../../src/data/sample.js';
import type { Examples } from '../../src/data/types.js';
import { referenceEngine } from '../../src/engines/reference/index.js';
import { checkConfig } from '../../src/experiment/config/file.js';
import type { RunConfigInput } from '../../src/experiment/config/schema.js';
import { objectivePlan, openExperiment } from '../../src/experiment/experiment.js';
import { manifestOf } from '../../src/experiment/manifest.js';
import { parseManifest, sampleBlocksOf } from '../../src/format/manifest.js';
import type { SampleBlocks } from '../../src/ledger/types.js';
import { layoutOfGraph } from '../../src/ledger/layout.js';
import { goldenFile } from '../support/golden.js';
import { fold, key, normal } from '../../src/num/random.js';
import { compositeRule } from '../../src/quadrature/rules.js';
import { twoLayers } from '../support/two-layers.js';

const [count, width, hidden, classes] = [1200, 4, 6, 3];
const [size, blocks, repetitions] = [320, 16, 200];

/** Classes of unlike sizes, each around its own centre, so that layers' totals vary by class. */
function population(): Examples {
  const labels = Int32Array.from({ length: count }, (_, k) =>
    Math.min(classes - 1, Math.floor((k % 10) / 4)),
  );
  const noise = normal(fold(key(1), 'x'), count * width);
  const inputs = Float32Array.from(noise, (value, k) => value + 1.5 * Math.sin(1 + labels[Math.floor(k / width)]! * 2 + (k % width))); // prettier-ignore
  return { count, shape: [width], inputs, labels };
}

/** Allocation of each example to each parameter along one segment, by Simpson: [count, K]. */
async function allocations({ inputs, labels }: Examples, hidden: number) {
  const graph = twoLayers({ examples: 1, width, hidden, classes });
  const layout = layoutOfGraph(graph);
  const program = await referenceEngine.compile(graph);
  const from = normal(fold(key(2), 'from'), layout.size).map((value) => 0.7 * value);
  const delta = normal(fold(key(2), 'delta'), layout.size).map((value) => 0.3 * value);
  const { size: K } = layout;
  const own = new Float64Array(count * K);
  const { nodes, weights } = compositeRule('simpson', 1);
  for (const [j, s] of nodes.entries()) {
    program.load(from.map((value, k) => value + s * delta[k]!));
    for (let example = 0; example < count; example++) {
      const gradient = new Float64Array(layout.size);
      const feeds = { x: inputs.subarray(example * width, (example + 1) * width), labels: labels.subarray(example, example + 1) }; // prettier-ignore
      await program.run(feeds, gradient);
      for (let k = 0; k < K; k++) own[example * K + k]! += weights[j]! * delta[k]! * gradient[k]!;
    }
  }
  return { own, layout };
}

/** The same by layer: [count, layers]. */
async function layerAllocations(examples: Examples) {
  const { own, layout } = await allocations(examples, hidden);
  const layers = layout.layers.length;
  const sums = new Float64Array(count * layers);
  for (let example = 0; example < count; example++) {
    for (const { layer, offset, size: length } of layout.tensors) {
      const at = example * layers + layout.layers.indexOf(layer);
      for (let k = offset; k < offset + length; k++) sums[at]! += own[example * layout.size + k]!;
    }
  }
  return { sums, layers };
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield await Promise.resolve(value);
}

interface Found {
  readonly share: number;
  readonly interval: HelpingInterval;
}

/** The share helping of the sum of parts [blocks, K], and its interval. */
async function shareOf(parts: Float64Array, sample: SampleBlocks): Promise<Found> {
  const whole = new Float64Array(parts.length / blocks);
  parts.forEach((value, at) => { whole[at % whole.length]! += value; }); // prettier-ignore
  const interval = await helpingInterval(once(parts), once(whole), sample);
  return { share: whole.filter((value) => value < 0).length / whole.length, interval };
}

/** Intervals hold the mean of all draws, and on average are at most 1.3 times as wide as the spread of the draws asks for. */
function requireCoverage(found: readonly Found[]): void {
  const average = (of: (own: Found) => number) => found.reduce((total, own) => total + of(own), 0) / found.length; // prettier-ignore
  const mean = average(({ share }) => share);
  const deviation = Math.sqrt(average(({ share }) => (share - mean) ** 2));
  // None is given where it would be wider than 20 points.
  const given = found.filter(({ interval }) => interval.halfWidth !== null);
  const averageGiven = (of: (own: Found) => number) => given.reduce((total, own) => total + of(own), 0) / given.length; // prettier-ignore
  const rate = averageGiven(({ share, interval }) => Number(Math.abs(share - mean) <= interval.halfWidth!));
  const width = averageGiven(({ interval }) => interval.halfWidth!) / (deviation * halfWidth(1));
  expect(given.length).toBeGreaterThanOrEqual(0.8 * found.length);
  expect(rate).toBeGreaterThanOrEqual(0.93);
  expect(width).toBeLessThan(1.3);
  // Fewer examples are nearer to one half.
  expect(Math.abs(average(({ interval }) => interval.ofFewer) - 0.5)).toBeLessThan(
    Math.abs(mean - 0.5) + 0.005,
  );
}

describe('a sample in blocks', () => {
  it('has intervals of 95 % that hold the whole set’s totals of layers in 93 to 97 % of 200 draws', async () => {
    const examples = population();
    const { sums, layers } = await layerAllocations(examples);
    const whole = Array.from({ length: layers }, (_, l) => sums.reduce((total, value, k) => total + (k % layers === l ? value : 0), 0) / count); // prettier-ignore
    let covered = 0;
    let narrowest = Infinity;
    for (let draw = 0; draw < repetitions; draw++) {
      const { places, blockOf } = drawSample(examples, size, blocks, fold(key(3), draw));
      const parts = new Float64Array(blocks * layers);
      const sizes = new Array<number>(blocks).fill(0);
      places.forEach((place, k) => {
        sizes[blockOf[k]!]!++;
        for (let l = 0; l < layers; l++) parts[blockOf[k]! * layers + l]! += sums[place * layers + l]! / size;
      });
      const errors = standardErrors(parts, layers, {
        from: count,
        members: sizes.map((_, b) => b),
        examples: sizes,
      });
      for (let l = 0; l < layers; l++) {
        const estimate = parts.reduce((total, value, k) => total + (k % layers === l ? value : 0), 0);
        covered += Number(Math.abs(estimate - whole[l]!) <= halfWidth(errors[l]!));
        narrowest = Math.min(narrowest, errors[l]! / Math.abs(whole[l]!));
      }
    }
    const rate = covered / (repetitions * layers);
    expect(rate).toBeGreaterThanOrEqual(0.93);
    expect(rate).toBeLessThanOrEqual(0.97);
    expect(narrowest).toBeGreaterThan(0);
  });

  it('has intervals of shares that hold what samples of this size have on average in 93 % of 200 draws or more, and are not far too wide', async () => {
    const examples = population();
    const { own, layout } = await allocations(examples, 40);
    const K = layout.size;
    const found: Found[] = [];
    for (let draw = 0; draw < repetitions; draw++) {
      const { places, blockOf } = drawSample(examples, size, blocks, fold(key(7), draw));
      const parts = new Float64Array(blocks * K);
      const sizes = new Array<number>(blocks).fill(0);
      places.forEach((place, at) => {
        sizes[blockOf[at]!]!++;
        for (let k = 0; k < K; k++) parts[blockOf[at]! * K + k]! += own[place * K + k]! / size;
      });
      found.push(await shareOf(parts, { from: count, members: [...sizes.keys()], examples: sizes }));
    }
    requireCoverage(found);
  });

  // Allocations of unlike size, and noise of which a share is common to all, in one direction or in either.
  it.each([
    [0, 'either'],
    [0.02, 'one'],
    [0.3, 'either'],
    [0.95, 'either'],
  ] as const)(
    'has such intervals where %d of the variance is common to all, in %s direction',
    async (common, direction) => {
      const K = 300;
      const draws = (name: string, draw: number, length: number) => normal(fold(fold(key(8), name), draw), length); // prettier-ignore
      const tails = draws('tails', 0, K);
      const mean = draws('mean', 0, K).map((value, k) => (value * Math.exp(1.5 * tails[k]!) - 0.5) / blocks);
      const loads = direction === 'one' ? new Float64Array(K).fill(1) : draws('loads', 0, K);
      const found: Found[] = [];
      for (let draw = 0; draw < repetitions; draw++) {
        const [own, shared] = [draws('own', draw, blocks * K), draws('shared', draw, blocks)];
        const parts = Float64Array.from(own, (value, at) => {
          const noise = Math.sqrt(common) * loads[at % K]! * shared[Math.floor(at / K)]! + Math.sqrt(1 - common) * value; // prettier-ignore
          return mean[at % K]! + noise / Math.sqrt(blocks);
        });
        found.push(await shareOf(parts, { from: Infinity, members: [...Array(blocks).keys()], examples: new Array<number>(blocks).fill(1) })); // prettier-ignore
      }
      requireCoverage(found);
    },
  );

  it('has no interval where all entries share their noise, so that any share is possible', async () => {
    const shared = normal(key(9), blocks);
    const parts = Float64Array.from({ length: blocks * 50 }, (_, at) => shared[Math.floor(at / 50)]! + (at % 50) / 50 - 0.5); // prettier-ignore
    const { interval } = await shareOf(parts, { from: Infinity, members: [...Array(blocks).keys()], examples: new Array<number>(blocks).fill(1) }); // prettier-ignore
    expect(interval.halfWidth).toBeNull();
  });

  it('is all of a set without any error, each example once, classes spread evenly over blocks', () => {
    const examples = population();
    const { places, blockOf } = drawSample(examples, count, blocks, key(4));
    expect([...places]).toEqual(Array.from({ length: count }, (_, k) => k));
    const members = Array.from({ length: blocks }, (_, b) => b);
    const sizes = members.map((block) => blockOf.filter((own) => own === block).length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    for (let label = 0; label < classes; label++) {
      const own = members.map(
        (block) =>
          places.filter((place, k) => blockOf[k] === block && examples.labels[place] === label).length,
      );
      expect(Math.max(...own) - Math.min(...own)).toBeLessThanOrEqual(1);
    }
    const values = Float64Array.from(members, (b) => Math.sin(b));
    expect(standardErrors(values, 1, { from: count, members, examples: sizes })[0]).toBe(0);
  });

  it('keeps the share of each class, and depends on its key alone', () => {
    const examples = population();
    const first = drawSample(examples, size, blocks, key(5));
    expect(drawSample(examples, size, blocks, key(5))).toEqual(first);
    expect(drawSample(examples, size, blocks, key(6)).places).not.toEqual(first.places);
    for (let label = 0; label < classes; label++) {
      const share = (of: ArrayLike<number>) =>
        Array.from(of).filter((own) => own === label).length / of.length;
      expect(Math.abs(share(Array.from(first.places, (place) => examples.labels[place]!)) - share(examples.labels))).toBeLessThan(1 / size); // prettier-ignore
    }
  });
});

describe('an experiment that is measured on a sample', () => {
  const open = (settings: RunConfigInput) =>
    openExperiment(
      checkConfig({ data: 'mnist', subset: 300, validation: 1000, batchSize: 10, engine: 'reference', sample: 128, ...settings }, 'the test'), // prettier-ignore
    );

  it('states what it was drawn from, its blocks, and those of each part', async () => {
    const experiment = await open({ parts: ['class'] });
    const [train] = parseManifest(
      { format: 'lossledger', formatVersion: 2, ...manifestOf(experiment) },
      'it',
    ).objectives;
    expect(train).toMatchObject({ name: 'train', order: 'parts', sample: { from: 300, blocks: 16 } });
    expect(sampleBlocksOf(train!)).toMatchObject({ from: 300, examples: new Array<number>(16).fill(8) });
    const third = train!.parts.find(({ name: part }) => part === 'class 3')!;
    const own = sampleBlocksOf(train!, third)!;
    expect(own.members).toHaveLength(16);
    expect(own.examples.reduce((total, each) => total + each, 0)).toBe(third.examples);
    expect(objectivePlan(experiment).objectives[0]!.divisor).toBe(128);
    expect(experiment.dataset.splits.train.count).toBe(300);
    expect(experiment.readings.map(({ about }) => about)).toContain('sample of train');
  });

  it.each([
    [{ sample: 20 }, /sample 20 of 300/],
    [{ sample: 301 }, /from 64 to 300/],
    [{ model: goldenFile('resnet', 'model.onnx') }, /depends on the others/],
  ] as [RunConfigInput, RegExp][])('is refused with %j', async (settings, message) => {
    await expect(open(settings)).rejects.toThrow(message);
  });
});
