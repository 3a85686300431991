import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NativeEngine } from '../../src/engines/native/index.js';
import { byteLayers, byteProblem } from '../support/byte-problem.js';
import { deviationsOf, evaluate } from '../support/chunk-cases.js';
import type { ChunkProblem } from '../support/chunk-problem.js';

const native = new NativeEngine();
const absence = await native.available();
if (!absence.ok) console.log(`skipped on native: ${absence.reason}`);

/** The same problem with zeros in all examples at every element of the bytes but each `kept`th. */
function sparse(problem: ChunkProblem, examples: number, kept: number): ChunkProblem {
  const feeds = Object.entries(problem.feeds).map(([name, numbers]) => {
    const width = numbers.length / examples;
    const isBytes = numbers instanceof Uint8Array;
    return [name, isBytes ? numbers.map((value, n) => ((n % width) % kept === 0 ? value : 0)) : numbers] as const;
  }); // prettier-ignore
  return { ...problem, feeds: Object.fromEntries(feeds) };
}

/** The same problem with zeros in every other example of each run of 50 elements. */
function patchy(problem: ChunkProblem, examples: number): ChunkProblem {
  const feeds = Object.entries(problem.feeds).map(([name, numbers]) => {
    const width = numbers.length / examples;
    const isKept = (n: number): boolean => (Math.floor((n % width) / 50) + Math.floor(n / width)) % 2 === 0;
    return [name, numbers instanceof Uint8Array ? numbers.map((value, n) => (isKept(n) ? value : 0)) : numbers] as const;
  }); // prettier-ignore
  return { ...problem, feeds: Object.fromEntries(feeds) };
}

const drawn = (examples: number, seed: number): ChunkProblem => {
  const layers = fc.sample(byteLayers, { numRuns: 6, seed }).map((layer) => ({ ...layer, isStandardised: false })); // prettier-ignore
  return byteProblem(layers, examples, seed);
};

/** One layer, whose weights [17, 130] are its first parameters. */
const layer = [{ shape: [130], rows: 17, transB: 1, scale: null, isStandardised: false, bias: true, relu: false }] as const; // prettier-ignore

describe.skipIf(!absence.ok)('dense layers of inputs that are zero in many columns', () => {
  it.each([
    [3, 2],
    [70, 3],
    [200, 1000],
  ])('agree with the reference engine, %d examples', async (examples, kept) => {
    const deviations = await deviationsOf(native, sparse(drawn(examples, kept), examples, kept));
    expect(deviations.filter(({ of, size }) => !(size < (of === 'loss' ? 1e-4 : 1e-6)))).toEqual([]);
  });

  it('have the bits that they have where another example of the tile fills these columns', async () => {
    const examples = 2;
    const filled = byteProblem(layer, examples, 3);
    const [x, factor] = [filled.feeds['x0'] as Uint8Array, filled.feeds['factor0'] as Float32Array];
    const halves = sparse(filled, examples, 2).feeds['x0'] as Uint8Array;
    const beside = Uint8Array.from([...halves.subarray(0, 130), ...x.subarray(130)]);
    // The second example does not count.
    const counted = factor.map((value, n) => (n < 17 ? value : 0));
    const lossOf = async (own: Uint8Array) => (await evaluate(native, { ...filled, feeds: { x0: own, factor0: counted } })).loss; // prettier-ignore
    expect(await lossOf(halves)).toBe(await lossOf(beside));
  });

  it.each([1, 70, 600])(
    'agree with it where vectors of columns are zero in single examples, of %d',
    async (examples) => {
      const deviations = await deviationsOf(native, patchy(drawn(examples, 5), examples));
      expect(deviations.filter(({ of, size }) => !(size < (of === 'loss' ? 1e-4 : 1e-6)))).toEqual([]);
    },
  );

  it('have gradients with the bits that they have where another column of the vector is filled', async () => {
    const problem = patchy(byteProblem(layer, 300, 6), 300);
    const filled = (problem.feeds['x0'] as Uint8Array).map((value, n) => ((n % 130) % 16 === 0 ? 1 : value));
    const [some, all] = [problem, { ...problem, feeds: { ...problem.feeds, x0: filled } }].map((own) => evaluate(native, own)); // prettier-ignore
    const others = async (own: typeof some) => (await own)!.gradient.subarray(0, 17 * 130).filter((_, n) => (n % 130) % 16 !== 0); // prettier-ignore
    expect(await others(some)).toEqual(await others(all));
  });

  it('have no finite gradient where what zeros are multiplied by is not', async () => {
    const problem = patchy(byteProblem(layer, 70, 7), 70);
    const factor = Float32Array.from(problem.feeds['factor0'] as Float32Array);
    factor[17 * 3 + 2] = Infinity;
    const { gradient } = await evaluate(native, { ...problem, feeds: { ...problem.feeds, factor0: factor } });
    const row = gradient.subarray(2 * 130, 3 * 130);
    // Example 3 has zeros in columns 0 to 49, more than a tile has, and other numbers from there on.
    expect([row[0], row[40], gradient[0]]).toEqual([NaN, NaN, expect.toSatisfy(Number.isFinite)]);
  });

  it('are not finite where a weight of such a column is not', async () => {
    const problem = sparse(byteProblem(layer, 70, 4), 70, 1000);
    for (const value of [NaN, Infinity]) {
      const theta = problem.theta.map((before, k) => (k === 129 ? value : before));
      expect((await evaluate(native, { ...problem, theta })).loss).toBeNaN();
    }
  });
});
