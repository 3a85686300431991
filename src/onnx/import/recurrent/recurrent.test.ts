import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GraphError } from '../../../errors.js';
import { fileWeights, modelOf, openOnnx, withFoldedNames, type OpenedModel } from '../../index.js';
import { foldedLayers } from './folded-layers.js';

const cases = join(import.meta.dirname, '../../../../test/golden/reading');
const open = (name: string, file = 'model'): OpenedModel =>
  openOnnx(readFileSync(join(cases, name, `${file}.onnx`)), {});

/** Names of PyTorch for all folded arrays, layers of one module one upon the other. */
const named = (opened: OpenedModel): string[][] =>
  fileWeights(opened).folded.map(({ arrays }, depth) =>
    arrays.map(({ kind, isReverse }) => `body.rnn.${kind}_l${depth}${isReverse ? '_reverse' : ''}`),
  );

describe('recurrent layers that PyTorch’s exporter folded', () => {
  it.each(['folded-lstm', 'folded-bidirectional', 'folded-gru'])(
    'have in %s the arrays of the unfolded file: names, order, shapes and numbers',
    (name) => {
      const opened = open(name);
      const trained = (model: OpenedModel) =>
        fileWeights(model)
          .tensors.filter(({ verdict }) => verdict === 'trained')
          .map((tensor) => [tensor.name, tensor.shape, [...tensor.data()]]);
      const unfolded = withFoldedNames(opened, named(opened));
      expect(trained(unfolded)).toEqual(trained(open(name, 'unfolded')));
      expect(fileWeights(unfolded)).toMatchObject({ folded: [], declared: null });
      expect(modelOf(unfolded).warnings.join()).not.toContain('lost their names');
    },
  );

  it('know what feeds them', () => {
    expect(fileWeights(open('folded-lstm-order')).folded.map(({ node, above }) => [node, above])).toEqual([
      ['/rnn/LSTM', null],
      ['/rnn/LSTM_1', 0],
      ['/rnn/LSTM_2', 1],
    ]);
  });

  it('are one where a module is called again', () => {
    const { file } = open('folded-again');
    const layers = foldedLayers(file);
    expect(layers.map(({ nodes }) => nodes.map(({ name }) => name))).toEqual([
      ['/first/LSTM'],
      ['/rnn/LSTM', '/rnn_1/LSTM'],
    ]);
    // It is fed by the first layer, and by itself.
    expect(layers.map(({ above }) => above)).toEqual([null, null]);
  });

  it('are none where their names stand in the file, another exporter wrote it, or something else reads their weights', () => {
    expect(fileWeights(open('folded-lstm', 'unfolded')).folded).toEqual([]);
    const { file } = open('folded-lstm');
    expect(foldedLayers({ ...file, producer: 'tf2onnx' })).toEqual([]);
    const [first] = foldedLayers(file);
    const other = { ...file.nodes.at(-1)!, input: [first!.stored[0]!] };
    expect(foldedLayers({ ...file, nodes: [...file.nodes, other] })).toHaveLength(1);
  });

  it('are left as they are where extents are not those that their node says', () => {
    const { file } = open('folded-bidirectional');
    const nodes = file.nodes.map((node) => ({
      ...node,
      attribute: node.attribute.filter(({ name }) => name !== 'direction'),
    }));
    expect(foldedLayers({ ...file, nodes })).toEqual([]);
  });

  it('are left as they are where equal zeros leave open whether they are one', () => {
    const { file } = open('folded-two');
    const zeros = [...file.initializers].map(
      ([name, tensor]) => [name, { ...tensor, rawData: new Uint8Array(tensor.rawData.length) }] as const,
    );
    expect(foldedLayers({ ...file, initializers: new Map(zeros) })).toEqual([]);
  });

  it('take only names that fit them', () => {
    const opened = open('folded-lstm');
    const names = named(opened);
    for (const wrong of [
      names.slice(1),
      [names[0]!, names[0]!],
      [names[0]!, [...names[1]!.slice(1), 'head.bias']],
    ])
      expect(() => withFoldedNames(opened, wrong)).toThrow(GraphError);
  });

  it('are trained as they are where nothing tells their names, those of an RNN too', () => {
    const weights = fileWeights(open('folded-rnn')).tensors.filter(({ name }) =>
      name.startsWith('onnx::RNN'),
    );
    expect(weights.map(({ verdict }) => verdict)).toEqual(Array(6).fill('trained'));
  });
});
