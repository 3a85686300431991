import { describe, expect, it } from 'vitest';
import { smallManifest } from '../../../test/support/run-folder.js';
import type { Manifest, ManifestContent } from '../../format/manifest.js';
import { parseManifest } from '../../format/manifest.js';
import { beyondRepeats, comparabilityOf } from './comparable.js';

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
