import { describe, expect, it } from 'vitest';
import { smallManifest } from '../../../test/support/run-folder.js';
import { syntheticView, withColumns } from '../../../test/support/synthetic-view.js';
import type { Manifest, ManifestContent } from '../../format/manifest.js';
import { parseManifest } from '../../format/manifest.js';
import type { LedgerView } from '../../ledger/view.js';
import { analyseShares } from '../shares.js';
import { studentT } from '../statistics/t-test.js';
import { beyondRepeats, comparabilityOf } from './comparable.js';
import { compareRuns } from './compare.js';
import { analyseSweep, type RunOutcome } from './sweep.js';

function manifest(change: (content: ManifestContent) => Partial<ManifestContent> = () => ({})): Manifest {
  const content = smallManifest(4);
  return parseManifest({ format: 'lossledger', formatVersion: 2, ...content, ...change(content) }, 'test');
}

const differing = (change: (content: ManifestContent) => Partial<ManifestContent>) =>
  comparabilityOf([manifest(), manifest(change)]);

describe('whether runs can be compared', () => {
  it('finds nothing in which a run differs from itself', () => {
    const { objectives, layers, notes, settings } = comparabilityOf([manifest(), manifest()]);
    expect(objectives).toEqual([
      { name: 'train', obstacles: [] },
      { name: 'mine', obstacles: [] },
    ]);
    expect([layers, notes, settings]).toEqual([[], [], []]);
  });

  it.each([
    ['loss', { loss: 'squared error' }],
    ['unit', { unit: 'squared units' }],
    ['reduction', { reduction: 'weightedMean' as const }],
    ['data set', { dataset: 'other' }],
    ['scaling of inputs', { scaling: { divisor: 255, mean: [], std: [] } }],
    ['statistics of batch normalisation', { batchNorm: 'running' as const }],
    ['data files of train', { files: [{ name: 'made', sha256: 'b'.repeat(64) }] }],
  ])('refuses losses that differ in %s', (about, change) => {
    const { objectives } = differing(({ definition }) => ({ definition: { ...definition, ...change } }));
    expect(objectives[0]!.obstacles.map((own) => own.about)).toEqual([about]);
  });

  it('refuses one objective where only its examples differ', () => {
    const { objectives } = differing(({ definition }) => ({
      definition: { ...definition, counts: { train: 90, mine: 20 } },
    }));
    expect(objectives.map(({ obstacles }) => obstacles.length)).toEqual([1, 0]);
    const own = [{ name: 'mine=x.npz', sha256: 'c'.repeat(64) }];
    const files = differing(({ definition }) => ({
      definition: { ...definition, files: [...definition.files, ...own] },
    }));
    expect(files.objectives.map(({ obstacles }) => obstacles.length)).toEqual([0, 1]);
  });

  it('takes archives for the same data that hold the same arrays, as far as manifests tell', () => {
    const of = (sha: string, content?: string) =>
      manifest(({ definition }) => ({
        definition: { ...definition, files: [{ name: 'd.npz', sha256: sha.repeat(64), ...(content === undefined ? {} : { content: content.repeat(64) }) }] },
      })); // prettier-ignore
    const differ = (...runs: readonly Manifest[]) =>
      comparabilityOf(runs).objectives[0]!.obstacles.map(({ about }) => about);
    expect(differ(of('a', '1'), of('b', '1'))).toEqual([]);
    // The same file, of which another network reads other arrays, and what is known by way of it.
    expect(differ(of('a', '1'), of('a', '2'))).toEqual([]);
    expect(differ(of('a', '1'), of('b'), of('b', '1'))).toEqual([]);
    const other = ['data files of train'];
    expect(differ(of('a', '1'), of('b', '2'))).toEqual(other);
    expect(differ(of('a', '1'), of('b'))).toEqual(other);
    expect(differ(of('a'), of('b'))).toEqual(other);
  });

  it('compares what outputs were taken for, not what was said', () => {
    const of = (outputs: string | null, decision?: string, evidence = '') =>
      manifest(({ config }) => ({
        config: { ...config, loss: 'softmaxCrossEntropy', outputs },
        readings: decision === undefined ? [] : [{ about: 'outputs of the network', decision, evidence }],
      }));
    const differ = (...runs: readonly Manifest[]) =>
      comparabilityOf(runs).objectives[0]!.obstacles.map(({ about }) => about);
    const decision = 'probabilities: the loss is −log p, computed from what the activation is applied to';
    const [byItself, saidLogits] = [of(null), of('logits')];
    const probabilities = of(null, decision, 'the network ends in Softmax');
    const saidProbabilities = of('probabilities', decision, 'outputs probabilities, as given');
    const seen = of(
      'probabilities',
      decision,
      'outputs probabilities, as given; the network ends in Softmax',
    );
    const unfit = of('probabilities', decision, 'outputs probabilities, as given; the network ends in LogSoftmax'); // prettier-ignore
    const twice = of('logits', 'taken for logits: the loss applies its own softmax after Softmax', 'outputs logits, as given'); // prettier-ignore
    expect(comparabilityOf([byItself, saidLogits]).settings).toEqual([]);
    for (const [a, b] of [
      [byItself, saidLogits],
      [byItself, probabilities],
      [probabilities, saidProbabilities],
      [saidLogits, seen],
    ])
      expect(differ(a!, b!)).toEqual([]);
    for (const runs of [
      [saidLogits, saidProbabilities],
      [saidLogits, unfit],
      [byItself, saidLogits, saidProbabilities],
      [byItself, twice],
      [saidLogits, twice],
      [probabilities, twice],
    ])
      expect(differ(...runs)).toEqual(['outputs']);
    const squared = (outputs: string | null) => manifest(({ config }) => ({ config: { ...config, loss: 'squaredError', outputs } })); // prettier-ignore
    expect(differ(squared(null), squared('logits'))).toEqual([]);
  });

  it('refuses losses of networks that are averaged otherwise, and of further inputs that are scaled otherwise', () => {
    const reading = (about: string, decision: string) => ({ about, decision, evidence: 'the test' });
    const differ = (first: Partial<ManifestContent>, second: Partial<ManifestContent>) => {
      const { objectives, notes } = comparabilityOf([manifest(() => first), manifest(() => second)]);
      return [objectives[0]!.obstacles, notes].map((found) => found.map(({ about }) => about));
    };
    const own = (decision: string) => ({ config: { loss: 'output' }, readings: [reading('loss', decision)] });
    expect(differ(own('the mean'), own('the mean'))).toEqual([[], []]);
    expect(differ(own('the mean'), own('the sum over the sum of weight'))).toEqual([['the network’s own loss'], []]); // prettier-ignore
    const scaled = (by: number) => ({ readings: [reading('scaling of inputs second', `divided by ${by}`)] });
    expect(differ(scaled(255), scaled(1))).toEqual([['scaling of further inputs'], []]);
    const by = (process: string) => ({ config: { process } });
    expect(differ(by('python one.py'), by('python other.py'))).toEqual([[], ['objective process']]);
  });

  it('tells networks that compute their losses by what they compute, where that was read, and else by their files', () => {
    const of = (sha: string, loss = 'output') =>
      manifest(({ config, definition }) => ({
        config: { ...config, loss, model: 'm.onnx' },
        definition: { ...definition, modelFiles: [{ name: 'm.onnx', sha256: sha.repeat(64) }] },
      }));
    const notes = (...args: Parameters<typeof comparabilityOf>) =>
      comparabilityOf(...args).notes.map(({ about, values }) => [about, ...values]);
    const about = 'function of the model file';
    expect(notes([of('a'), of('b')])).toEqual([[about, 'a'.repeat(12), 'b'.repeat(12)]]);
    expect(notes([of('a'), of('b')], ['same', 'same'])).toEqual([]);
    expect(notes([of('a'), of('a')], ['one', 'other'])).toEqual([[about, 'one', 'other']]);
    expect(notes([of('a', 'squaredError'), of('b', 'squaredError')])).toEqual([]);
  });

  it('takes runs for repeats that differ in seeds alone', () => {
    const settings = (change: object) => beyondRepeats(differing(({ config }) => ({ config: { ...config, ...change } }))).map(({ about }) => about); // prettier-ignore
    expect(settings({ seed: 17 })).toEqual([]);
    expect(settings({ seed: 17, learningRate: 0.25 })).toEqual(['learningRate']);
  });

  it('takes chunks for part of the loss only where an example depends on the others of its chunk', () => {
    const chunk = ({ definition }: ManifestContent) => ({ definition: { ...definition, chunk: 20 } });
    const plain = differing(chunk);
    expect(plain.objectives[0]!.obstacles).toEqual([]);
    expect(plain.notes.map(({ about }) => about)).toEqual(['order of sums']);
    const readings = [{ about: 'chunks', decision: 'the loss of an example depends on others', evidence: 'ReduceMean' }]; // prettier-ignore
    const mixed = comparabilityOf([manifest(() => ({ readings })), manifest((content) => ({ readings, ...chunk(content) }))]); // prettier-ignore
    expect(mixed.objectives[0]!.obstacles.map(({ about }) => about)).toEqual(['chunk']);
  });

  it('counts the iterations of a recording that states none by its rows, and takes no program for a draw', () => {
    const of = (iterations: number, splitHash: string) =>
      manifest(({ config, trajectory, definition }) => ({
        trajectory: { ...trajectory, iterations, iteration: null },
        config: { ...config, iterations: 880, process: 'python objective.py' },
        definition: { ...definition, splitHash },
      }));
    const { settings, notes } = comparabilityOf([of(4, 'a'), of(40, 'b')]);
    expect(settings).toEqual([{ about: 'iterations', why: '', values: ['4', '40'] }]);
    expect(notes).toEqual([]);
  });

  it('tells by how many iterations rows of θ are apart, and counts iterations, not segments', () => {
    const recorded = (iteration: number[]) =>
      manifest(({ trajectory, config }) => ({
        trajectory: { ...trajectory, iterations: iteration.length - 1, iteration },
        config: { ...config, iterations: iteration.length - 1 },
      }));
    const { notes, settings } = comparabilityOf([
      recorded([0, 1, 2, 3, 4, 5, 6]),
      recorded([0, 3, 6]),
      recorded([0, 1, 6]),
    ]);
    const values = ['every iteration', 'every 3 iterations', 'every 1 to 5 iterations'];
    expect(notes.map((note) => [note.about, note.values])).toEqual([['rows of θ', values]]);
    expect(settings).toEqual([]);
  });

  it('takes a network for the same whose file has another path, and for another whose file has other contents', () => {
    const of = (model: string, sha: string) =>
      manifest(({ config, definition }) => ({ config: { ...config, model }, definition: { ...definition, modelFiles: [{ name: 'network', sha256: sha.repeat(64) }] } }));
    expect(comparabilityOf([of('a/net.onnx', 'a'), of('b/net.onnx', 'a')]).settings).toEqual([]);
    const { settings } = comparabilityOf([of('net.onnx', 'a'), of('net.onnx', 'b')]);
    expect(settings).toMatchObject([{ about: 'model file', values: ['net.onnx (aaaaaaaaaaaa)', 'net.onnx (bbbbbbbbbbbb)'] }]);
  }); // prettier-ignore

  it('tells the L2 term of the loss, networks, draws, rules and settings apart', () => {
    const decay = (weightDecay: number, measureWeightDecay: boolean) =>
      manifest(({ config }) => ({ config: { ...config, weightDecay, measureWeightDecay } }));
    const asSetting = comparabilityOf([decay(0.1, false), decay(0.2, false)]);
    expect([asSetting.objectives[0]!.obstacles.length, asSetting.settings.map(({ about }) => about)]).toEqual(
      [0, ['weightDecay']],
    );
    expect(comparabilityOf([decay(0.1, true), decay(0.2, true)]).objectives[0]!.obstacles[0]!.about).toBe(
      'weight decay in the loss',
    );
    const layers = [{ name: 'a', shape: [2], layer: 'a', neuronAxis: null, inputAxis: null, kind: 'other' as const, offset: 0, size: 2 }]; // prettier-ignore
    expect(
      differing(() => ({ parameters: layers, layers: [{ name: 'a', neurons: 0 }] })).layers,
    ).toHaveLength(1);
    const notes = differing(({ definition, quadrature }) => ({
      definition: { ...definition, splitHash: 'b'.repeat(64) },
      quadrature: { ...quadrature, rule: 'trapezoid' as const },
    })).notes;
    expect(notes.map(({ about }) => about)).toEqual(['draw', 'quadrature']);
  });
});

const named = (name: string, view: LedgerView) => ({ name, manifest: manifest(), view });

/** A view of four segments of one layer of two, with these sums of it. */
const viewOf = (sums: number[], stride = 1): LedgerView =>
  withColumns(
    syntheticView({ segments: sums.length / 2, stride, layers: { a: 3, b: 2 }, objectives: ['train', 'mine'] }),
    'train',
    { layer_sums: Float64Array.from(sums) },
  ); // prettier-ignore

describe('runs side by side', () => {
  it('add layers up between the iterations that all of them have', () => {
    const every = viewOf([-1, 1, -2, 2, -4, 4, -8, 8]);
    const second = viewOf([-3, 5, -7, 9], 2);
    const { steps, objectives } = compareRuns([named('x', every), named('y', second)]);
    expect(steps).toEqual([0, 2, 4]);
    expect(objectives[0]!.layers).toEqual([
      { layer: 'a', totals: [-15, -10] },
      { layer: 'b', totals: [15, 14] },
    ]);
    expect(objectives[0]!.losses[1]).toEqual([...second.column('loss', 'train')]);
    const later = compareRuns([named('x', every), named('y', second)], 2);
    expect(later.objectives[0]!.layers![0]!.totals).toEqual([-12, -7]);
  });

  it('count of shares that help what the report counts: parameters, without running statistics', () => {
    const plain = syntheticView({ segments: 2, layers: { a: 4, 'a.statistics': 2 }, objectives: ['train', 'mine'] });
    const tensors = plain.layout.tensors.map((own, i) => ({ ...own, kind: i === 1 ? ('statistics' as const) : own.kind }));
    const view = withColumns({ ...plain, layout: { ...plain.layout, tensors } }, 'train', {
      helping: Int32Array.of(1, 2, 2, 2),
      hurting: Int32Array.of(3, 0, 2, 0),
      zero: new Int32Array(4),
    });
    const { objectives } = compareRuns([named('x', view), named('y', view)]);
    expect(objectives[0]!.helping).toEqual([3 / 8, 3 / 8]);
    expect(analyseShares(view, 'train').run.shares.ofNonzero.helping).toBe(3 / 8);
  }); // prettier-ignore

  it('say where a run parts from the first, and refuse runs without common iterations', () => {
    const view = viewOf([-1, 1, -2, 2]);
    const loss = Float64Array.from(view.column('loss', 'train'));
    loss[2]! += 0.5;
    const other = withColumns(view, 'train', { loss });
    const { objectives } = compareRuns([named('x', view), named('y', other)]);
    expect(objectives[0]!.parting).toEqual([null, 2]);
    expect(() => compareRuns([named('x', view), named('y', view)], 2)).toThrow(/two iterations that all runs have from 2/); // prettier-ignore
  });
});

/** A run's outcome with one layer. */
const outcome = (total: number): RunOutcome => ({
  layers: [{ layer: 'a', parameters: 1, total }],
  trained: 1,
  losses: [{ objective: 'train', first: 2, last: 2 + total }],
  helping: 0.5,
  components: null,
});

describe('a sweep', () => {
  const cell = (label: string, totals: readonly (number | null)[]) => ({
    label,
    settings: { axis: label },
    runs: totals.map((total, i) => ({
      seed: i + 1,
      run: `${label}-${i}`,
      failure: total === null ? 'diverged' : null,
      outcome: total === null ? null : outcome(total),
    })),
  });
  const axes = [{ name: 'axis', labels: ['one', 'two', 'none'] }];
  const facts = { name: 's', about: null, unit: 'nats', objective: 'train' };

  it('pairs runs of one seed with those of the baseline', async () => {
    // Over seeds the cells hardly differ; seed by seed the second is lower by 1, 1 and 1.3.
    const cells = [cell('one', [-1, -5, -9]), cell('two', [-2, -6, -10.3]), cell('none', [null, null, null])];
    const student = await studentT();
    const { grids, baseline } = analyseSweep({ ...facts, baseline: null }, [{ axes, cells }], student);
    expect(baseline).toBe('one');
    const [one, two, none] = grids[0]!.cells;
    expect(one!.summary!.layers[0]).toMatchObject({ layer: 'a', values: [-1, -5, -9], less: null });
    expect(one!.summary!.layers[0]!.test.p).toBeGreaterThan(0.1);
    const { less } = two!.summary!.losses[0]!;
    expect(less!.mean).toBeCloseTo(-1.1, 12);
    // scipy.stats.ttest_1samp([-1, -1, -1.3], 0): t = -11, p = 0.00816.
    expect(less!.statistic).toBeCloseTo(-11, 9);
    expect(less!.p).toBeCloseTo(0.00816, 5);
    expect(none!.summary).toBeNull();
  });

  it('compares losses by the names of their sets, whichever others a cell measured', async () => {
    const more = (own: ReturnType<typeof cell>, losses: RunOutcome['losses']) => ({ ...own, runs: own.runs.map((run) => ({ ...run, outcome: { ...run.outcome!, losses: [...run.outcome!.losses, ...losses] } })) });
    const [test, mine] = [{ objective: 'test', first: 9, last: 5 }, { objective: 'mine', first: 9, last: 7 }];
    const cells = [more(cell('one', [-1, -1]), [test, mine]), more(cell('two', [-2, -2]), [{ ...mine, last: 8 }])];
    const { grids } = analyseSweep({ ...facts, baseline: null }, [{ axes, cells }], await studentT());
    const [, two] = grids[0]!.cells;
    expect(two!.summary!.losses.map(({ objective, less }) => [objective, less!.mean])).toEqual([['train', -1], ['mine', 1]]);
  }); // prettier-ignore

  it('compares with the cell that is named, and leaves out seeds that are not done', async () => {
    const cells = [cell('one', [-1, null]), cell('two', [-2, -4])];
    const { grids } = analyseSweep({ ...facts, baseline: 'two' }, [{ axes, cells }], await studentT());
    expect(grids[0]!.cells[0]!.summary!.layers[0]!.less).toMatchObject({ count: 1, mean: 1 });
    expect(grids[0]!.cells[1]!.summary!.layers[0]!.less).toBeNull();
  });
});
