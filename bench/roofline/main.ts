import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { benchGradient } from '../../src/run/bench/gradient.js';
import { EngineError } from '../../src/errors.js';
import type { Compiler } from '../../src/engines/native/toolchain/compiler.js';
import { findCompiler } from '../../src/engines/native/toolchain/compiler.js';
import { peakLoop } from './peak.js';
import { multiplyAddsOf, profileNetwork } from './profile.js';
import { rooflineTable } from './table.js';

/*
 * npm run bench:roofline -- --network resnet20
 *
 * Prints, for each step of a network's native program, how close it comes to the machine's multiply-add peak: processor time of
 * one thread, medians of several runs; then the same for whole gradients on two threads, as `lca bench gradient` times them.
 * Convolutions count as direct sums, however they are done. Build first: threads run what is in `dist`.
 */
const { values } = parseArgs({
  options: {
    network: { type: 'string', default: 'resnet20' },
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

const compiler = requireCompiler();
const loop = await peakLoop(compiler);
const profile = await profileNetwork(values.network, compiler, loop, Number(values.runs));
const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
print(`${cpus()[0]!.model}, ${compiler.version}, ${compiler.target.name}`);
print(`multiply-add peak between the runs: ${profile.peak.toFixed(0)} GFLOP/s on one thread`);
print(`${values.network}, chunk of ${profile.examples} examples, one thread; per example:\n`);
print(rooflineTable(profile));
print(`\nsetting θ, once for each evaluation of a data set: ${(1e3 * profile.loadSeconds).toFixed(2)} ms`);

const { seconds, network: model } = values;
if (Number(seconds) > 0) {
  const options = { model, engine: 'native', threads: 2, seconds: Number(seconds) };
  const { examplesPerSecond } = await benchGradient(options);
  const peak = await loop.measure();
  const rate = 2e-9 * multiplyAddsOf(profile.steps.map(({ step }) => step)) * examplesPerSecond.median;
  print(
    `whole gradients on two threads: ${examplesPerSecond.median.toFixed(0)} examples/s, ${rate.toFixed(0)} GFLOP/s, ${((100 * rate) / peak.twoThreads).toFixed(1)} % of the peak of ${peak.twoThreads.toFixed(0)}`,
  );
}
