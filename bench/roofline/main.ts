import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { benchGradient } from '../../src/run/bench/gradient.js';
import type { Arithmetic } from '../../src/engines/registry.js';
import { matrixUnitObstacle } from '../../src/engines/native/matrix-unit.js';
import { EngineError } from '../../src/errors.js';
import type { Compiler } from '../../src/engines/native/toolchain/compiler.js';
import { findCompiler } from '../../src/engines/native/toolchain/compiler.js';
import { peakLoop } from './peak.js';
import { multiplyAddsOf, profileNetwork } from './profile.js';
import { rooflineTable } from './table.js';

/*
 * npm run bench:roofline -- --network resnet20 [--arithmetic split]
 *
 * Prints, for each step of a network's native program, how close it comes to the machine's multiply-add peak: processor time of
 * one thread, medians of several runs; then the same for whole gradients on two threads, as `lca bench gradient` times them.
 * Convolutions count as direct sums, however they are done. Build first: threads run what is in `dist`.
 */
const { values } = parseArgs({
  options: {
    network: { type: 'string', default: 'resnet20' },
    arithmetic: { type: 'string', default: 'float32' },
    runs: { type: 'string', default: '9' },
    seconds: { type: 'string', default: '4' },
  },
});

function requireCompiler(): Compiler {
  const search = findCompiler();
  if (search.compiler !== null) return search.compiler;
  throw new EngineError({
    given: `no C compiler: ${search.reason}`,
    expected: 'one that the native engine can use',
    remedy: 'install gcc or clang, or name one in CC',
  });
}

/** The compiler, with the matrix unit where that is asked for. */
async function compilerFor(arithmetic: string): Promise<Compiler> {
  const compiler = requireCompiler();
  if (arithmetic === 'float32') return compiler;
  const obstacle = arithmetic === 'split' ? await matrixUnitObstacle(compiler, {}) : 'it is not known';
  if (obstacle === null) return { ...compiler, target: { ...compiler.target, matrixUnit: 'amx' } };
  throw new EngineError({
    given: `--arithmetic ${arithmetic}: ${obstacle}`,
    expected: 'float32, or split where the processor has a matrix unit',
    remedy: 'leave --arithmetic out',
  });
}

const { network: model, runs, seconds } = values;
const arithmetic = values.arithmetic as Arithmetic;
const compiler = await compilerFor(arithmetic);
const loop = await peakLoop(compiler);
const profile = await profileNetwork(model, compiler, loop, Number(runs));
const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
print(`${cpus()[0]!.model}, ${compiler.version}, ${compiler.target.name}, ${arithmetic}`);
print(`multiply-add peak between the runs: ${profile.peak.toFixed(0)} GFLOP/s on one thread`);
print(`${model}, chunk of ${profile.examples} examples, one thread; per example:\n`);
print(rooflineTable(profile));
print(`\nsetting θ, once for each evaluation of a data set: ${(1e3 * profile.loadSeconds).toFixed(2)} ms`);

if (Number(seconds) > 0) {
  const options = { model, engine: 'native', arithmetic, threads: 2, seconds: Number(seconds) };
  const { examplesPerSecond } = await benchGradient(options);
  const peak = await loop.measure();
  const rate = 2e-9 * multiplyAddsOf(profile.steps.map(({ step }) => step)) * examplesPerSecond.median;
  print(
    `whole gradients on two threads: ${examplesPerSecond.median.toFixed(0)} examples/s, ${rate.toFixed(0)} GFLOP/s, ${((100 * rate) / peak.twoThreads).toFixed(1)} % of the peak of ${peak.twoThreads.toFixed(0)}`,
  );
}
