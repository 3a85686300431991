import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { engineNamed } from '../../src/engines/registry.js';
import { EngineError } from '../../src/errors.js';
import { checkConfig } from '../../src/experiment/config/file.js';
import type { RunConfigInput } from '../../src/experiment/config/schema.js';
import { objectivePlan, openExperiment } from '../../src/experiment/experiment.js';
import { audit } from '../../src/ledger/columns.js';
import { measureRange, type MeasuredSegment } from '../../src/ledger/measure-range.js';
import { Evaluator } from '../../src/objective/evaluator.js';
import { exportedNumbers } from '../support/export.js';
import { lca, temporaryFolder } from '../support/cli.js';
import { npyFile } from '../support/npz.js';
import { stored } from '../support/stored-row.js';
import { writeTokenRun } from '../support/token-network.js';

const folder = temporaryFolder();
const run = writeTokenRun(folder, 3);
const { examples, positions, labels } = run;

const ofClass = ['even', 'odd', 'even', 'odd', 'five', 'five'];
const classes = join(folder, 'kinds.csv');
writeFileSync(classes, `kind\n${ofClass.join('\n')}\n`);
const ofLabel = Int32Array.from(labels, (_, row) => (row * row) % 4);
const each = join(folder, 'quarters.npy');
writeFileSync(each, npyFile(ofLabel, [examples, positions]));
const ofExample = Int32Array.from({ length: examples }, (_, n) => n % 2);
const whole = join(folder, 'halves.npy');
writeFileSync(whole, npyFile(ofExample, [examples]));

/** Part of a label by each thing. */
const memberships: Readonly<Record<string, (row: number) => string>> = {
  kinds: (row) => ofClass[labels[row]!]!,
  position: (row) => ['0-1', '0-1', '2', '3-4', '3-4'][row % positions]!,
  quarters: (row) => String(ofLabel[row]),
  halves: (row) => String(ofExample[Math.floor(row / positions)]),
};

const settings = {
  ...run.files,
  parts: [`tokens:${classes}`, 'positions:0-1', '2', '3-', each, whole],
  chunk: 4,
  lanes: 2,
  tolerance: 'none',
} satisfies RunConfigInput;

const counted = (row: number): boolean => labels[row] !== -100;
const rowsOf = (example: number): number[] =>
  Array.from({ length: positions }, (_, t) => example * positions + t);

/** What a label's −log p is divided by in the loss. */
const divisors: Readonly<Record<string, (row: number) => number>> = {
  tokenMean: () => [...labels.keys()].filter(counted).length,
  exampleMean: (row) => rowsOf(Math.floor(row / positions)).filter(counted).length * examples,
};

/** What each part of a name contributes to the loss at a row of θ. */
function contributions(by: string, reduction: string, row: number): Map<string, number> {
  const sums = new Map<string, number>();
  run.surprises(row).forEach((surprise, k) => {
    if (!counted(k)) return;
    const part = memberships[by]!(k);
    sums.set(part, (sums.get(part) ?? 0) + surprise / divisors[reduction]!(k));
  });
  return sums;
}

/** Why an engine does not know the network; null where it does. */
async function unknownTo(engine: RunConfigInput['engine'], config: RunConfigInput): Promise<string | null> {
  const experiment = await openExperiment(
    checkConfig({ ...settings, ...config, engine: 'reference' }, 'the test'),
  );
  const { gradientGraph } = objectivePlan(experiment);
  const own = await engineNamed(engine as 'native');
  try {
    own.plan(gradientGraph(4, true));
    return null;
  } catch (error) {
    if (error instanceof EngineError) return error.message;
    throw error;
  }
}

async function measured(config: RunConfigInput) {
  const experiment = await openExperiment(checkConfig({ ...settings, ...config }, 'the test'));
  const { layout, engine } = experiment;
  const evaluator = await Evaluator.start(objectivePlan(experiment), 2);
  try {
    const segments: MeasuredSegment['rows'][number][] = [];
    const range = measureRange({
      from: 0,
      to: 2,
      theta: (row) => Promise.resolve(run.theta(row)),
      evaluate: (at, directions, want) => evaluator.evaluate(at, directions, want),
      hasParts: true,
      settings: { rule: 'simpson', tolerance: null, subintervals: 32, maxSubintervals: 32 },
      layout,
      precision: engine.facts.precision,
    });
    for await (const segment of range) segments.push(segment.rows[0]!);
    return { experiment, segments };
  } finally {
    await evaluator.close();
  }
}

const cases = ['reference', 'onnxruntime', 'native'].flatMap((engine) =>
  ['tokenMean', 'exampleMean'].map((reduction) => ({ engine, reduction }) as const),
);

describe.each(cases)('parts of labels ($engine, $reduction)', ({ engine, reduction }) => {
  it('are what plain loops add up, move as their allocations say, and add up to the whole', async ({
    skip,
  }) => {
    const own = await engineNamed(engine);
    const available = await own.available();
    if (!available.ok) skip(available.reason);
    const unknown = await unknownTo(engine, { reduction: reduction as 'tokenMean' });
    if (unknown !== null) skip(unknown);
    const { experiment, segments } = await measured({
      engine: engine,
      reduction: reduction as 'tokenMean',
    });
    const { parts } = experiment.objectives[0]!.division!;
    const bound = engine === 'reference' ? 1e-12 : 1e-6;
    segments.forEach((segment, t) => {
      const layers = segment.layer_sums.length;
      parts.forEach(({ by, name }, p) => {
        const of = (row: number): number =>
          contributions(by!, reduction, row).get(name.replace(/^\w+: /, ''))!;
        [0, 1].forEach((end) => {
          expect(Math.abs(segment.part_loss[end * parts.length + p]! - of(t + end))).toBeLessThan(bound);
        });
        const moved = segment.part_layer_sums.slice(p * layers, (p + 1) * layers).reduce((a, b) => a + b, 0);
        expect(Math.abs(moved - (of(t + 1) - of(t)))).toBeLessThan(engine === 'reference' ? 1e-8 : 1e-6);
      });
      const by = parts.map((part) => part.by);
      expect(audit(stored(segment), experiment.layout, { by, tolerance: bound })).toEqual([]);
    });
  });
});

it('a run with such parts is stored, exported and verified by the command line', async () => {
  const out = join(folder, 'run');
  const files = Object.entries(run.files).flatMap(([kind, path]) => [`--${kind}`, path]);
  const flags = [
    '--parts',
    `tokens:${classes},positions:0-1,2,3-`,
    '--engine',
    'reference',
    '--chunk',
    '4',
    '--quiet',
  ];
  const { code, stderr } = await lca(['measure', ...files, ...flags, '--out', out]);
  expect(code, stderr).toBe(0);
  const losses = await exportedNumbers(out, 'part_loss', '--objective', 'train');
  const expected = [...contributions('kinds', 'tokenMean', 0)].sort().map(([, value]) => value);
  losses.slice(0, 3).forEach((loss, p) => { expect(loss).toBeCloseTo(expected[p]!, 10); }); // prettier-ignore
  const verified = await lca(['verify', out, '--sample', '2', '--quiet']);
  expect(verified.stdout + verified.stderr + String(verified.code)).toMatch(/The run is sound\.\n0$/);
});

it.each([
  ['positions:0-1,3-', /leaves out 2/],
  ['positions:0-2,2-', /range 2- of/],
  [`positions:0-9`, /range 0-9/],
  ['tokens', /names no groups of its 6 classes/],
  [`tokens:${each}`, /with 45 group names/],
  ['class', /not one class an example/],
])('refuses --parts %s', async (entry, message) => {
  const config = checkConfig({ ...settings, engine: 'reference', parts: [entry] }, 'the test');
  await expect(openExperiment(config)).rejects.toThrow(message);
});
