import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../graph/builder.js';
import type { Graph, Value } from '../../graph/types.js';
import { normal, key } from '../../num/random.js';
import { sumAtoms } from '../atoms.js';
import { cellSizes, gatherSums, groupingNamed } from '../groupings.js';
import { layoutOf, layoutOfGraph } from '../layout.js';
import type { OwnGrouping } from '../types.js';
import { headsOf } from './heads.js';

const [positions, width, heads] = [5, 6, 3];

/** Attention over [1, 5, 6]: queries, keys and values by projections of their own, or by one that is divided in a way. */
function attention(kind: 'apart' | 'split' | 'fused'): Graph {
  const builder = new GraphBuilder('attention');
  const parameter = (name: string, shape: number[], neuronAxis: number) =>
    builder.parameter(name, shape, {
      layer: name.replace(/\.\w+$/, ''),
      neuronAxis,
      initializer: { kind: 'zeros' },
    });
  const x = builder.input('x', 'float32', [1, positions, width]);
  const project = (name: string, outputs: number): Value => {
    const product = builder.apply('MatMul', [x, parameter(`block.${name}.weight`, [width, outputs], 1)]);
    return builder.apply('Add', [product, parameter(`block.${name}.bias`, [outputs], 0)]);
  };
  const divided = (value: Value, ...more: number[]) => builder.apply('Reshape', [value], { shape: [1, positions, ...more, heads, width / heads] }); // prettier-ignore
  const turned = (value: Value, perm = [0, 2, 1, 3]) => builder.apply('Transpose', [value], { perm });
  const threefold = (): Value[] => {
    if (kind === 'apart') return ['q', 'k', 'v'].map((name) => turned(divided(project(name, width))));
    const all = project('qkv', 3 * width);
    if (kind === 'split') return builder.add('Split', [all], { axis: 2, split: [width, width, width] }).map((part) => turned(divided(part))); // prettier-ignore
    const one = turned(divided(all, 3), [2, 0, 3, 1, 4]);
    return builder.add('Split', [one], { axis: 0, split: [1, 1, 1] }).map((part) => builder.apply('Reshape', [part], { shape: [1, heads, positions, width / heads] })); // prettier-ignore
  };
  const [q, k, v] = threefold();
  const scores = builder.apply('Softmax', [builder.apply('MatMul', [q!, turned(k!, [0, 1, 3, 2])])], { axis: 3 }); // prettier-ignore
  const together = turned(builder.apply('MatMul', [scores, v!]));
  const out = builder.apply('Reshape', [together], { shape: [1, positions, width] });
  return builder.build([builder.apply('MatMul', [out, parameter('block.out.weight', [width, width], 1)])]);
}

/** A network that shuffles groups of channels, which are no heads. */
function shuffle(): Graph {
  const builder = new GraphBuilder('shuffle');
  const weight = builder.parameter('w', [width, width], { layer: 'w', neuronAxis: 1, initializer: { kind: 'zeros' } }); // prettier-ignore
  const y = builder.apply('MatMul', [builder.input('x', 'float32', [1, positions, width]), weight]);
  const divided = builder.apply('Reshape', [y], { shape: [1, positions, heads, width / heads] });
  return builder.build([builder.apply('Transpose', [divided], { perm: [0, 1, 3, 2] })]);
}

describe('attention heads', () => {
  it.each(['apart', 'split', 'fused'] as const)('are shown by what divides projections (%s)', (kind) => {
    const graph = attention(kind);
    const layout = layoutOfGraph(graph, [headsOf(graph)!]);
    const own = groupingNamed(layout, 'head');
    expect([...own.cells].sort()).toEqual(['block[head 0]', 'block[head 1]', 'block[head 2]', 'other']);
    const perHead = 3 * (width / heads) * (width + 1);
    const sizes = cellSizes(layout, own);
    own.cells.forEach((cell, k) => { expect(sizes[k]).toBe(cell === 'other' ? width * width : perHead); }); // prettier-ignore
    const values = normal(key(1), layout.size);
    const sums = gatherSums(own, sumAtoms(values, layout.atoms[own.axis]).results());
    const expected = new Map(own.cells.map((cell) => [cell, 0]));
    for (const { name, offset, size, shape } of layout.tensors) {
      for (let k = 0; k < size; k++) {
        const output = k % shape.at(-1)!;
        const cell = name === 'block.out.weight' ? 'other' : `block[head ${Math.floor((output % width) / (width / heads))}]`; // prettier-ignore
        expected.set(cell, expected.get(cell)! + values[offset + k]!);
      }
    }
    own.cells.forEach((cell, k) => { expect(sums[k]).toBeCloseTo(expected.get(cell)!, 12); }); // prettier-ignore
  });

  it('are not seen where channels are shuffled, or nothing is divided', () => {
    expect(headsOf(shuffle())).toBeNull();
    expect(headsOf({ parameters: [], nodes: [] })).toBeNull();
  });
});

describe('the user’s own cells', () => {
  const tensors = [
    { name: 'a.weight', shape: [4, 6], layer: 'a', neuronAxis: 0, inputAxis: 1 },
    { name: 'a.bias', shape: [4], layer: 'a', neuronAxis: 0 },
    { name: 'b.weight', shape: [2, 4], layer: 'b', neuronAxis: 0, inputAxis: 1 },
  ];
  const sizes = (cells: OwnGrouping['cells']) => {
    const layout = layoutOf(tensors, [{ name: 'own', cells }]);
    const own = groupingNamed(layout, 'own');
    return Object.fromEntries(own.cells.map((cell, k) => [cell, cellSizes(layout, own)[k]!]));
  };

  it('are ranges of output neurons or of inputs; the first pattern that matches has a parameter', () => {
    const cells = [
      { name: 'first', patterns: ['a.*[0:1]', 'b.weight'] },
      { name: 'rest', patterns: ['a.*[0:4]'] },
    ];
    expect(sizes(cells)).toEqual({ first: 7 + 8, rest: 21 });
    expect(sizes([{ name: 'left', patterns: ['*.weight[in 0:2]'] }])).toEqual({ left: 8 + 4, other: 16 + 4 + 4 }); // prettier-ignore
  });

  it.each([
    ['a.*[0:5]', /a\.weight \[4, 6\] with 4 output neurons/],
    ['a.*[2:2]', /a range from 0 to at most 4/],
    ['*[in 0:2]', /a\.bias \[4\] with 0 inputs/],
    ['c.*', /matches no tensor.*a\.weight, a\.bias, b\.weight/s],
  ])('are refused with the pattern %s', (pattern, message) => {
    expect(() => sizes([{ name: 'cell', patterns: [pattern] }])).toThrow(message);
  });

  it('are refused with ranges of outputs and of inputs together', () => {
    expect(() => sizes([{ name: 'cell', patterns: ['a.*[0:2]', 'b.weight[in 0:2]'] }])).toThrow(/make two groupings/); // prettier-ignore
  });
});
