import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differentiate } from '../../src/autodiff/index.js';
import { generateModule } from '../../src/engines/native/emit/module.js';
import { prelude } from '../../src/engines/native/emit/prelude.js';
import { NativeEngine } from '../../src/engines/native/index.js';
import { openShared } from '../../src/engines/native/library.js';
import { lowerToSteps } from '../../src/engines/native/lower/index.js';
import { grantsTiles } from '../../src/engines/native/matrix-unit.js';
import { cachedLibrary } from '../../src/engines/native/toolchain/cache.js';
import { findCompiler } from '../../src/engines/native/toolchain/compiler.js';
import { targetNamed } from '../../src/engines/native/toolchain/target.js';
import { referenceEngine } from '../../src/engines/reference/index.js';
import { GraphBuilder } from '../../src/graph/builder.js';
import { attachLoss } from '../../src/graph/loss.js';
import type { Graph } from '../../src/graph/types.js';
import { initialise } from '../../src/models/initialise.js';
import { modelNamed } from '../../src/models/registry.js';
import type { BuildOptions } from '../../src/models/types.js';
import { key, uniform } from '../../src/num/random.js';
import { byteLayers, byteProblem } from '../support/byte-problem.js';
import { deviationsOf, evaluate, problemsOf } from '../support/chunk-cases.js';
import { layers } from '../support/operators/layers.js';
import { splitWays } from '../support/split-engines.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tilePairs, tileProduct, tileRows } from '../support/tile-product.js';

const split = new NativeEngine({ matrixUnit: 'emulated' });
const vectors = new NativeEngine();
const absence = await split.available();
if (!absence.ok) console.log(`skipped on native: ${absence.reason}`);
const search = findCompiler();
const compiler = search.compiler!;
const folder = temporaryFolder();

const ways = await splitWays();

/** A product of tiles, and the terms of numbers, as the kernels have them. */
async function unitLibrary({ matrixUnit, compiler: command }: Awaited<ReturnType<typeof splitWays>>[number]) {
  const { compiler } = findCompiler(command);
  const source = `${prelude({ ...compiler!.target, matrixUnit })}
    EXPORT void product(float *sums, const uint32_t *left, const uint32_t *right) {
      tiles_granted();
      tiles_begin();
      TILES_READ_MEMORY();
      TILE_LOAD(0, sums, 4 * LANES);
      TILE_LOAD(4, left, 64);
      TILE_LOAD(6, right, 4 * LANES);
      TILE_PRODUCT(0, 4, 6);
      TILE_STORE(0, sums, 4 * LANES);
      tiles_end();
    }
    EXPORT void terms(float a, uint32_t *to) {
      words all[3];
      split(v_set(a), all);
      for (int t = 0; t < 3; t++) to[t] = all[t][0];
    }`;
  return openShared(await cachedLibrary(compiler!, source, { folder }), (library) => ({
    product: library.func('void product(float *, const uint16 *, const uint16 *)'),
    terms: library.func('void terms(float, uint32 *)'),
  }));
}

/** bfloat16 of every kind, of both signs, as their 16 bits. */
const upper = fc.oneof(
  { arbitrary: fc.integer({ min: 0x3c00, max: 0x4200 }), weight: 9 },
  fc.integer({ min: 0, max: 0xffff }),
  fc.constantFrom(0, 1, 0x7f, 0x80, 0x7f7f, 0x7f80, 0x7fc0),
);
const uppers = (count: number) =>
  fc.array(fc.tuple(upper, fc.boolean()).map(([bits, isNegative]) => bits | (isNegative ? 0x8000 : 0)), { minLength: count, maxLength: count }).map((all) => Uint16Array.from(all)); // prettier-ignore

describe.skipIf(!absence.ok).each(ways)('on the matrix unit $matrixUnit', (way) => {
  const { lanes } = compiler.target;

  it('a product of tiles has the bits of its definition', async () => {
    const { product } = await unitLibrary(way);
    const sums = fc.array(fc.float(), { minLength: tileRows * lanes, maxLength: tileRows * lanes });
    const operands = fc.tuple(sums, uppers(2 * tileRows * tilePairs), uppers(2 * tilePairs * lanes));
    fc.assert(
      fc.property(operands, ([before, left, right]) => {
        const actual = Float32Array.from(before);
        product(actual, left, right);
        expect(actual).toEqual(tileProduct(Float32Array.from(before), left, right, lanes));
      }),
      { numRuns: 50 },
    );
  });

  it('the terms of a number are bfloat16 and add up to it; a NaN stays one', async () => {
    const { terms } = await unitLibrary(way);
    const floats = new Float32Array(3);
    const bits = new Uint32Array(floats.buffer);
    const sumOf = (a: number): number => {
      terms(a, bits);
      expect(bits.every((term) => (term & 0xffff) === 0)).toBe(true);
      return floats[0]! + floats[1]! + floats[2]!;
    };
    // The last term of a smaller number would be subnormal, and a larger one rounds to infinity.
    const size = fc.float({ noNaN: true, min: Math.fround(2 ** -100), max: Math.fround(3.38e38) });
    fc.assert(fc.property(size, fc.boolean(), (a, isNegative) => sumOf(isNegative ? -a : a) === (isNegative ? -a : a)), { numRuns: 1000 }); // prettier-ignore
    for (const a of [0, 1, 255, 2 ** -126, 1 / 3]) expect(sumOf(a)).toBe(Math.fround(a));
    for (const a of [Infinity, 3.4028234663852886e38]) expect(sumOf(a)).toBeNaN();
    for (const pattern of [0x7fffffff, 0x7f800001, 0xffffffff, 0x7fc00000]) {
      const nan = new Float32Array(Uint32Array.of(pattern).buffer)[0]!;
      expect(sumOf(nan)).toBeNaN();
    }
  });
});

/** Root of the mean square, and largest, of what an engine's numbers are wrong by, of the root of the mean square of the right ones. */
function errorsOf(actual: ArrayLike<number>, right: Float64Array): { rms: number; largest: number } {
  const wrong = right.map((value, k) => Math.abs(actual[k]! - value));
  const rms = (values: Float64Array) => Math.hypot(...values) / Math.sqrt(values.length);
  return { rms: rms(wrong) / rms(right), largest: Math.max(...wrong) / rms(right) };
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Problems of a few layers of bytes each. */
const problems = (examples: number, count: number) =>
  Array.from({ length: count }, (_, k) => byteProblem(fc.sample(byteLayers, { numRuns: 6, seed: 10 * examples + k }), examples, k)); // prettier-ignore

describe.skipIf(!absence.ok)('layers of bytes on a matrix unit', () => {
  it.skipIf(ways.length < 2)('by AMX have the bits of those in plain C', async () => {
    const engines = ways.map((way) => new NativeEngine(way));
    for (const problem of problems(70, 3)) {
      const [plain, amx] = await Promise.all(engines.map((engine) => evaluate(engine, problem)));
      expect(amx).toEqual(plain);
    }
  });

  it.each([1, 19, 70, 600])('agree with the reference engine, %d examples', async (examples) => {
    for (const problem of problems(examples, 3)) {
      const deviations = await deviationsOf(split, problem);
      // The terms of the loss cancel.
      expect(deviations.filter(({ of, size }) => !(size < (of === 'loss' ? 1e-4 : 1e-6)))).toEqual([]);
    }
  });

  it('agree with it for vectors of any width', async () => {
    const flags = ['-mno-avx512f', '-mno-avx512f -mno-avx2'];
    const others = flags.map((flag) => new NativeEngine({ matrixUnit: 'emulated', compiler: `${compiler.command} ${flag}` })); // prettier-ignore
    const able = await Promise.all(others.map((engine) => engine.available()));
    for (const engine of others.filter((_, k) => able[k]!.ok)) {
      for (const problem of problems(45, 2)) {
        const deviations = await deviationsOf(engine, problem);
        expect(deviations.filter(({ of, size }) => !(size < (of === 'loss' ? 1e-4 : 1e-6)))).toEqual([]);
      }
    }
  });

  it.each([19, 70, 600])('are no less accurate than on vectors, %d examples', async (examples) => {
    const found = { vectors: [] as ReturnType<typeof errorsOf>[], split: [] as ReturnType<typeof errorsOf>[] }; // prettier-ignore
    for (const problem of problems(examples, 3)) {
      const { gradient: right } = await evaluate(referenceEngine, problem);
      for (const [name, engine] of Object.entries({ vectors, split })) {
        const { gradient } = await evaluate(engine, problem);
        const errors = problem.parts
          .filter(({ from, to }) => right.subarray(from, to).some((value) => value !== 0))
          .map(({ from, to }) => errorsOf(gradient.subarray(from, to), right.subarray(from, to)));
        found[name as keyof typeof found].push(...errors);
      }
    }
    for (const of of ['rms', 'largest'] as const)
      expect(mean(found.split.map((error) => error[of]))).toBeLessThan(mean(found.vectors.map((error) => error[of]))); // prettier-ignore
    expect(Math.max(...found.split.map(({ rms }) => rms))).toBeLessThan(3e-7);
  });

  const examples = 40;
  const transform = { dtype: 'uint8', divisor: 255, mean: [], std: [] } as const;
  const { model } = modelNamed('fc');
  const build = (own: BuildOptions['transform']) => attachLoss(model.build({ examples, training: false, transform: own }), { loss: 'softmaxCrossEntropy', classAxis: 1 }); // prettier-ignore
  const graph = build(transform);
  const theta = Float64Array.from(initialise(graph.parameters, key(7)));
  const feeds = {
    x: Uint8Array.from(uniform(key(1), examples * 784), (u) => Math.max(0, 1000 * u - 744)),
    labels: Int32Array.from({ length: examples }, (_, n) => n % 10),
  };
  const pixels = { graph, theta, feeds, parts: [] };

  const standardised = (channels: number[]) => build({ ...transform, mean: channels, std: channels.map(() => 0.3081) }); // prettier-ignore

  it.each([['scaled', graph], ['standardised', standardised([0.1307])]] as const)('are no less accurate in a network of pixels, %s', async (_, own) => {
    expect(split.sameAsPlain(differentiate(own))).toBeNull();
    const problem = { ...pixels, graph: own };
    const { gradient: right } = await evaluate(referenceEngine, problem);
    const [errors, others] = await Promise.all([split, vectors].map(async (engine) => errorsOf((await evaluate(engine, problem)).gradient, right)));
    expect(errors!.rms).toBeLessThan(others!.rms);
    expect(errors!.rms).toBeGreaterThan(0);
  }); // prettier-ignore

  it('are known by what is fed: what is no layer of bytes, or of bytes that others read, is left to vectors', () => {
    const float = build({ ...transform, dtype: 'float32' });
    for (const other of [float, twoReaders(), problemsOf(fc.sample(layers['dense layers']!(9), 2), 9)[0]!.graph]) {
      expect(split.sameAsPlain(differentiate(other))).toMatch(/no layer of this network takes bytes/);
    }
  }); // prettier-ignore

  it('leave what is not of bytes as it is on vectors, to the bit', async () => {
    for (const problem of problemsOf(fc.sample(layers['dense layers']!(19), { numRuns: 4, seed: 1 }), 19)) {
      expect(await evaluate(split, problem)).toEqual(await evaluate(vectors, problem));
    }
  });

  const withWeight = (weight: (before: number, k: number) => number) => ({ ...pixels, theta: theta.map(weight) }); // prettier-ignore

  it.each([NaN, Infinity, -Infinity, 255 * 3.4028234663852886e38])('with a weight of %d are not finite, so that nobody takes them for numbers', async (value) => {
    const { loss } = await evaluate(split, withWeight((before, k) => (k === 300 ? value : before)));
    expect(loss).toBeNaN();
  }); // prettier-ignore

  it('with weights that no float32 is close to relative to itself are as small as they should be', async () => {
    const tiny = withWeight((before, k) => (k < 78_400 ? before * 1e-40 : before));
    const [{ loss }, { loss: right }] = [await evaluate(split, tiny), await evaluate(referenceEngine, tiny)];
    expect(Math.abs(loss / right - 1)).toBeLessThan(1e-6);
  });
});

/** A layer of bytes that are summed, too. */
function twoReaders(): Graph {
  const builder = new GraphBuilder('two readers');
  const x = builder.apply('Cast', [builder.input('x', 'uint8', [9, 5])], { to: 'float32' });
  const w = builder.parameter('w', [5, 4], { layer: 'l', neuronAxis: null, initializer: { kind: 'zeros' } });
  const sums = [builder.apply('Gemm', [x, w]), x].map((value, k) => {
    const factor = builder.input(`factor${k}`, 'float32', value.shape);
    return builder.apply('ReduceSum', [builder.apply('Mul', [value, factor])], { keepdims: 0 });
  });
  return builder.build([builder.apply('Add', [sums[0]!, sums[1]!])]);
}

/** Whether the compiler makes code for processors with AMX, wherever it runs. */
const forAmx = ['-march=sapphirerapids'];
const knowsAmx =
  absence.ok && spawnSync(compiler.command, [...forAmx, '-E', '-x', 'c', '/dev/null']).status === 0;

describe.skipIf(!knowsAmx)('code for AMX', () => {
  it('is translated', () => {
    const target = { ...targetNamed('avx512'), matrixUnit: 'amx' } as const;
    const { source } = generateModule(lowerToSteps(differentiate(problems(19, 1)[0]!.graph), target), target);
    const file = join(temporaryFolder(), 'network.c');
    writeFileSync(file, source);
    const flags = ['-std=gnu11', '-O1', '-ffp-contract=fast', '-S', '-o', '-'];
    const { status, stdout } = spawnSync(compiler.command, [...flags, ...forAmx, file], { encoding: 'utf8', maxBuffer: 2 ** 28 }); // prettier-ignore
    expect(status).toBe(0);
    for (const instruction of [
      'ldtilecfg',
      'tilezero',
      'tileloadd',
      'tdpbf16ps',
      'tilestored',
      'tilerelease',
    ])
      expect(stdout).toContain(instruction);
  });

  it.skipIf(compiler.hasMatrixUnit)('is refused where the processor has no such unit, and the system grants none', async () => {
    const native = new NativeEngine({ matrixUnit: 'amx' });
    const absence = await native.available();
    expect(absence.ok ? "" : absence.reason).toMatch(/no matrix unit for bfloat16 \(AMX/);
    expect(await grantsTiles(compiler, { folder })).toBe(false);
  }); // prettier-ignore
});
