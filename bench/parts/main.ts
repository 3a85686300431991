import { parseArgs } from 'node:util';
import { resolveConfig } from '../../src/experiment/config/file.js';
import { type Experiment, objectivePlan, openExperiment } from '../../src/experiment/experiment.js';
import { Evaluator } from '../../src/objective/evaluator.js';

/*
 * npm run bench:parts -- cifar-resnet20-sgd --subset 1000
 *
 * Processor time of a gradient of the training set, without parts and with them, and of its loss alone, turn by turn; and what parts may cost where
 * examples share statistics: (forward + P backward) / (forward + backward) for P parts.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    subset: { type: 'string', default: '1000' },
    parts: { type: 'string', default: 'class' },
    engine: { type: 'string', default: 'auto' },
    rounds: { type: 'string', default: '3' },
  },
});
const flags = { subset: Number(values.subset), engine: values.engine, measure: ['train'], iterations: 1 };
const from = positionals[0] ?? 'cifar-resnet20-sgd';

/** Seconds of all processors that something takes. */
async function processorTime(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1]!;

/** An evaluator of one worker, warm, and what is evaluated. */
async function started(experiment: Experiment) {
  const evaluator = await Evaluator.start(objectivePlan(experiment), 1);
  const theta = Float64Array.from(await experiment.start!());
  const direction = theta.map((value) => 0.01 * value);
  const evaluate = (want: 'gradient' | 'loss') => evaluator.evaluate(theta, [direction], want);
  await evaluate('gradient');
  return { evaluator, evaluate };
}

const plain = await openExperiment(await resolveConfig({ from, flags }));
const divided = await openExperiment(
  await resolveConfig({ from, flags: { ...flags, parts: [values.parts] } }),
);
const [whole, parts] = [await started(plain), await started(divided)];
try {
  const times = { loss: [] as number[], gradient: [] as number[], parts: [] as number[] };
  for (let round = 0; round < Number(values.rounds); round++) {
    times.loss.push(await processorTime(() => whole.evaluate('loss')));
    times.gradient.push(await processorTime(() => whole.evaluate('gradient')));
    times.parts.push(await processorTime(() => parts.evaluate('gradient')));
  }
  const [forward, gradient, own] = [median(times.loss), median(times.gradient), median(times.parts)];
  const count = divided.objectives[0]!.division!.parts.length;
  const bound = (forward + count * (gradient - forward)) / gradient;
  const seconds = (name: string, each: readonly number[]) => `${name} ${each.map((time) => time.toFixed(2)).join(', ')} s`; // prettier-ignore
  process.stdout.write(`${plain.engine.name}, seconds of all processors: ${seconds('losses', times.loss)}; ${seconds('gradient', times.gradient)}; ${seconds(`of ${count} parts`, times.parts)}\n`); // prettier-ignore
  process.stdout.write(`${(own / gradient).toFixed(2)} times a gradient without parts; (forward + ${count} backward) / (forward + backward) is ${bound.toFixed(2)}\n`); // prettier-ignore
} finally {
  await whole.evaluator.close();
  await parts.evaluator.close();
}
