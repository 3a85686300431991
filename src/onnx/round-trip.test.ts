import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OperatorCase } from '../../test/support/operator-cases.js';
import { operatorCases } from '../../test/support/operator-cases.js';
import { feedTensors, parameterTensors } from '../engines/reference/bind.js';
import { evaluate } from '../engines/reference/evaluate.js';
import { GraphBuilder } from '../graph/builder.js';
import type { Graph } from '../graph/types.js';
import { readOnnx, writeOnnx } from './index.js';

const examples = 3;

/** The case as a network: its other inputs become constants, its number is added to each example of `x`. */
function networkOf({ graph, feeds }: OperatorCase): Graph {
  const constants = graph.inputs.map((value) => ({ value, data: feeds[value.name]! }));
  const closed = { ...graph, inputs: [], constants: [...graph.constants, ...constants] };
  const builder = GraphBuilder.from(closed);
  const x = builder.input('x', 'float32', [examples, 2]);
  return builder.build([builder.apply('Add', [x, graph.outputs[0]!])]);
}

function outputOf(graph: Graph, theta: Float64Array): Float64Array {
  const feeds = { x: Float32Array.of(0, 1, 2, 3, 4, 5) };
  const bound = new Map([...parameterTensors(graph, theta), ...feedTensors(graph, feeds)]);
  return evaluate(graph, bound)[0]!.data;
}

/** Losses are no part of a network. */
const operators = [...operatorCases.keys()].filter((op) => !op.includes('Loss'));

describe('a network that is written and read again', () => {
  it.each(operators)('computes the same with %s', (op) => {
    fc.assert(
      fc.property(operatorCases.get(op)!, (given) => {
        const graph = networkOf(given);
        const bytes = writeOnnx(graph, given.theta);
        const model = readOnnx(bytes, { trained: (name) => /^input\d+$/.test(name) });
        const builder = new GraphBuilder('again');
        const again = builder.build([model.addTo(builder, builder.input('x', 'float32', [examples, 2]))]);
        const named = (parameters: Graph['parameters']) =>
          parameters.map(({ value }) => [value.name, value.shape]);
        expect(named(again.parameters)).toEqual(named(graph.parameters));
        const [expected, actual] = [graph, again].map((one) => outputOf(one, given.theta));
        const scale = Math.max(1, ...expected!.map(Math.abs));
        expected!.forEach((value, k) => expect(Math.abs(actual![k]! - value) / scale).toBeLessThan(1e-6));
      }),
      { numRuns: 8 },
    );
  });
});
