import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainLoops, type Strip, type VectorLoops } from '../../num/vector-loops.js';
import { engineNamed } from '../registry.js';

const engine = await engineNamed('native');
const isHere = (await engine.available()).ok;
const compiled = isHere ? await engine.loops!() : plainLoops;

/** Numbers of all sizes, zeros of both signs, and where `odd` what is no number. */
const number = (odd = true) =>
  fc.oneof(
    fc.double({ min: -2, max: 2, noNaN: true }),
    fc.double({ noNaN: !odd, noDefaultInfinity: !odd }),
    fc.constantFrom(0, -0, 5e-324, -5e-324, 1e300, -1e300),
  );
const vector = (length: number, odd = true) =>
  fc.array(number(odd), { minLength: length, maxLength: length }).map((values) => Float64Array.from(values));

const spread = fc.record({
  offset: fc.nat(3),
  outer: fc.nat(3),
  extent: fc.integer({ min: 1, max: 19 }),
  inner: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 19 })),
  first: fc.nat(3),
});
const ends = ({ offset, outer, extent, inner, first }: Strip) => ({
  values: offset + outer * extent * inner,
  cells: first + extent,
});

/** What both kinds of loops write, from the same arrays each. */
function both<A extends object>(arrays: () => A, run: (loops: VectorLoops, given: A) => unknown) {
  return [plainLoops, compiled].map((loops) => {
    const given = arrays();
    return [run(loops, given), given] as const;
  });
}

/** Zeros tell their sign, and values that are none are alike. */
function expectAlike([plain, own]: readonly unknown[]): void {
  expect(own).toStrictEqual(plain);
}

describe.skipIf(!isHere)('compiled loops give the numbers of the plain ones to the bit', () => {
  it('for weighted sums of any number of vectors', () => {
    const terms = fc.nat(20).chain((n) => fc.array(fc.record({ weight: number(), vector: vector(n) }), { minLength: 0, maxLength: 7 }).map((own) => ({ n, own }))); // prettier-ignore
    fc.assert(
      fc.property(terms, ({ n, own }) => {
        expectAlike(both(() => new Float64Array(n).fill(7), (loops, target) => { loops.combine(target, own); })); // prettier-ignore
      }),
    );
  });

  it('for means of any number of vectors', () => {
    const given = fc.nat(20).chain((n) => fc.tuple(fc.constant(n), fc.array(vector(n), { maxLength: 19 }), number())); // prettier-ignore
    fc.assert(
      fc.property(given, ([n, vectors, divisor]) => {
        expectAlike(both(() => new Float64Array(n).fill(7), (loops, target) => { loops.mean(target, vectors, divisor); })); // prettier-ignore
      }),
    );
  });

  it('for quotients, compensated products, and whether numbers are finite', () => {
    const pairs = fc.nat(40).chain((n) => fc.tuple(vector(n), vector(n), vector(n, false), number()));
    fc.assert(
      fc.property(pairs, ([a, b, finite, divisor]) => {
        expectAlike(both(() => a.slice(), (loops, values) => { loops.divide(values, divisor); })); // prettier-ignore
        const rows = [a, finite, Float32Array.from(a), Float32Array.from(finite)];
        expectAlike(both(() => rows, (loops) => [loops.dot(a, b), ...rows.map((row) => loops.areFinite(row))])); // prettier-ignore
      }),
    );
    expect([compiled.areFinite(new Float64Array([1, 1e308])), compiled.areFinite(new Float32Array(33).fill(NaN, 32))]).toEqual([true, false]); // prettier-ignore
  });

  it('for rows of float32, their differences, and points between them', () => {
    const rows = fc.nat(40).chain((n) => fc.tuple(vector(n), vector(n), vector(n), number()));
    fc.assert(
      fc.property(rows, ([a, b, delta, s]) => {
        const [from, to] = [Float32Array.from(a), Float32Array.from(b)];
        const arrays = () => [0, 1, 2].map(() => new Float64Array(a.length));
        const run = (loops: VectorLoops, [wide, difference, point]: Float64Array[]) => {
          loops.widen(wide!, to);
          loops.subtract(difference!, to, from);
          loops.move(point!, from, delta, s);
        };
        expectAlike(both(arrays, run));
      }),
    );
  });

  it('for products, and how many are no finite float32', () => {
    const pairs = fc.nat(40).chain((n) => fc.tuple(vector(n), vector(n)));
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const arrays = () => ({ exact: new Float64Array(a.length), stored: new Float32Array(a.length) });
        expectAlike(both(arrays, (loops, { exact, stored }) => loops.multiply(exact, stored, a, b)));
        const double = () => new Float64Array(a.length);
        expectAlike(both(double, (loops, exact) => loops.multiply(exact, exact, a, b)));
      }),
    );
  });

  it('for products added up, in the same order', () => {
    const pairs = fc.nat(40).chain((n) => fc.tuple(vector(n, false), vector(n, false), fc.nat(n), fc.nat(n)));
    fc.assert(
      fc.property(pairs, ([a, b, one, other]) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        expect(compiled.dotOf(a, b, from, to)).toBe(plainLoops.dotOf(a, b, from, to));
      }),
    );
  });

  it('for compensated sums of cells, also of float32', () => {
    const strips = spread.chain((strip) => fc.tuple(fc.constant(strip), vector(ends(strip).values, false), fc.boolean())); // prettier-ignore
    fc.assert(
      fc.property(strips, ([strip, values, single]) => {
        const cells = () => ({ totals: new Float64Array(ends(strip).cells).fill(0.1), lost: new Float64Array(ends(strip).cells) }); // prettier-ignore
        const given = single ? Float32Array.from(values) : values;
        expectAlike(both(cells, (loops, { totals, lost }) => { loops.sumStrip(totals, lost, given, strip); })); // prettier-ignore
      }),
    );
  });

  it('for counts of signs, and their bits', () => {
    const strips = spread.chain((strip) => fc.tuple(fc.constant(strip), vector(ends(strip).values)));
    fc.assert(
      fc.property(strips, ([strip, values]) => {
        const cells = () => ({ below: new Int32Array(ends(strip).cells).fill(3), above: new Int32Array(ends(strip).cells) }); // prettier-ignore
        expectAlike(both(cells, (loops, { below, above }) => { loops.countStrip(below, above, values, strip); })); // prettier-ignore
        const bits = () => new Uint8Array(Math.ceil(values.length / 8)).fill(255);
        expectAlike(both(bits, (loops, own) => { loops.packSigns(own, values); })); // prettier-ignore
      }),
    );
  });

  it('for bits that differ, and counts of them', () => {
    const strips = spread.chain((strip) => {
      const bytes = Math.ceil(ends(strip).values / 8);
      const rows = fc.uint8Array({ minLength: bytes, maxLength: bytes });
      return fc.tuple(fc.constant(strip), rows, rows);
    });
    fc.assert(
      fc.property(strips, ([strip, before, after]) => {
        const arrays = () => ({ flags: new Uint8Array(8 * before.length).fill(9), counts: new Int32Array(ends(strip).cells).fill(1) }); // prettier-ignore
        expectAlike(
          both(arrays, (loops, { flags, counts }) => {
            loops.differingBits(flags, before, after);
            loops.countFlags(counts, flags, strip);
          }),
        );
      }),
    );
  });

  it('and refuse arrays that do not fit each other', () => {
    const strip = { offset: 1, outer: 2, extent: 3, inner: 4, first: 0 };
    const [values, three] = [new Float64Array(24), new Float64Array(3)];
    expect(() => { compiled.sumStrip(three, three.slice(), values, strip); }).toThrow(RangeError); // prettier-ignore
    expect(() => { compiled.sumStrip(three, new Float64Array(2), new Float64Array(25), strip); }).toThrow(RangeError); // prettier-ignore
    expect(() => { compiled.packSigns(new Uint8Array(2), values); }).toThrow(RangeError); // prettier-ignore
    expect(() => compiled.multiply(values, new Float32Array(24), values, three)).toThrow(RangeError);
    expect(() => { compiled.differingBits(new Uint8Array(15), new Uint8Array(2), new Uint8Array(2)); }).toThrow(RangeError); // prettier-ignore
  });
});
