import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../graph/builder.js';
import { peakBytes } from './liveness.js';

describe('peakBytes', () => {
  const builder = new GraphBuilder('chain');
  const x = builder.input('x', 'float32', [10, 4]);
  const a = builder.apply('Relu', [x]);
  const b = builder.apply('Relu', [a]);
  const c = builder.apply('Relu', [b]);

  it('counts what lives at once, outputs to the end', () => {
    expect(peakBytes(builder.build([c]))).toBe(2 * 160);
    expect(peakBytes(builder.build([builder.apply('Add', [a, c])]))).toBe(3 * 160);
    expect(peakBytes(builder.build([a, b, c]))).toBe(4 * 160);
  });

  it('adds the workspace of the node that runs, and nothing of it afterwards', () => {
    const workspace = (node: { readonly outputs: readonly unknown[] }) => (node.outputs[0] === a ? 1000 : 10);
    expect(peakBytes(builder.build([c]), undefined, workspace)).toBe(160 + 1000);
    expect(peakBytes(builder.build([c]), () => 1, workspace)).toBe(1 + 1000);
  });
});
