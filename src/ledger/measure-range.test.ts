import { describe, expect, it } from 'vitest';
import { resolutions } from '../quadrature/settings.js';
import { layoutOf } from './layout.js';
import { type MeasuredSegment, measureRange, type RangeInput } from './measure-range.js';

const T = 12;
const layout = layoutOf([{ name: 'a', shape: [2], layer: 'a', neuronAxis: null }]);
const theta = (row: number): Float32Array => Float32Array.of(Math.cos(row), 1 / (1 + row));

/** A sum of cubes, whose evaluations end when they are let go: the last ones first. */
class Evaluations {
  readonly #waiting: (() => void)[] = [];
  /** How many were under way at once, at most. */
  most = 0;

  readonly evaluate: RangeInput['evaluate'] = async (point) => {
    const [a, b] = point;
    const result = { loss: (a! ** 3 + b! ** 3) / 3, gradient: Float64Array.of(a! ** 2, b! ** 2) };
    await new Promise<void>((done) => this.#waiting.push(done));
    return [result];
  };

  /** Lets all end that are under way, once no more are begun, until nothing is left. */
  async letGo(work: Promise<unknown>): Promise<void> {
    let isDone = false;
    const end = () => (isDone = true);
    void work.then(end, end);
    while (!isDone) {
      await new Promise((next) => setImmediate(next));
      this.most = Math.max(this.most, this.#waiting.length);
      for (const done of this.#waiting.splice(0).reverse()) done();
    }
  }
}

const range = (change: Partial<RangeInput> & Pick<RangeInput, 'evaluate'>): RangeInput => ({
  from: 0,
  to: T,
  theta: (row) => Promise.resolve(theta(row)),
  settings: { rule: 'simpson', tolerance: null, subintervals: null, maxSubintervals: 2, resolution: resolutions.float64 }, // prettier-ignore
  layout,
  ...change,
});

async function measured(change: Partial<RangeInput>) {
  const evaluations = new Evaluations();
  const segments: MeasuredSegment[] = [];
  const work = (async () => {
    for await (const segment of measureRange(range({ evaluate: evaluations.evaluate, ...change })))
      segments.push(segment);
  })();
  await evaluations.letGo(work);
  await work;
  return { segments, most: evaluations.most };
}

describe('a range of segments', () => {
  it('keeps as many evaluations under way as are worked on at once, and gives the same rows in order', async () => {
    const few = await measured({});
    expect(few.segments.map(({ segment }) => segment)).toEqual([...Array(T).keys()]);
    for (const inFlight of [1, 8, 16, 1000]) {
      const { segments, most } = await measured({ inFlight });
      expect(segments).toEqual(few.segments);
      // A segment of Simpson's rule has two of its own, the first one its start too.
      expect(most).toBeGreaterThanOrEqual(Math.min(inFlight, 2 * T + 1));
      expect(most).toBeLessThanOrEqual(Math.max(inFlight, 4) + 2);
    }
  });

  it('waits for no row of θ that only segments ahead need', async () => {
    const known = 3;
    const late = (row: number) => (row > known ? new Promise<never>(() => {}) : Promise.resolve(theta(row)));
    const evaluations = new Evaluations();
    const segments = measureRange(range({ evaluate: evaluations.evaluate, theta: late, inFlight: 16 }));
    for (let segment = 0; segment < known; segment++) {
      const next = segments.next();
      await evaluations.letGo(next);
      expect((await next).value).toMatchObject({ segment });
    }
  });

  it('gives the segments in front of a failure', async () => {
    const broken = (row: number) =>
      row > 4 ? Promise.reject(new Error('row 5 is lost')) : Promise.resolve(theta(row));
    const evaluations = new Evaluations();
    const found: number[] = [];
    const work = (async () => {
      const input = range({ evaluate: evaluations.evaluate, theta: broken, inFlight: 16 });
      for await (const { segment } of measureRange(input)) found.push(segment);
    })();
    await evaluations.letGo(work);
    await expect(work).rejects.toThrow('row 5 is lost');
    expect(found).toEqual([0, 1, 2, 3]);
  });
});
