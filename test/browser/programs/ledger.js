import { layoutOf, measureRange } from 'lossledger/ledger';

const tensors = [{ name: 'w', shape: [2, 1], layer: 'out', neuronAxis: 0 }];
const rows = [Float32Array.of(1, -2), Float32Array.of(0.5, -1), Float32Array.of(0.25, -0.5)];
const segments = measureRange({
  from: 0,
  to: 2,
  theta: async (row) => rows[row],
  evaluate: async (theta) => [
    { loss: theta.reduce((sum, v) => sum + v ** 4, 0), gradient: theta.map((v) => 4 * v ** 3) },
  ],
  settings: { rule: 'simpson', tolerance: null, subintervals: 2, maxSubintervals: 2 },
  layout: layoutOf(tensors),
});
/** Numbers as JSON has them: one, a list, or a list by grouping. */
function plain(numbers) {
  if (typeof numbers === 'number') return numbers;
  if ('length' in numbers) return [...numbers];
  return Object.entries(numbers).map(([grouping, cells]) => [grouping, [...cells]]);
}

const measured = [];
for await (const { segment, rows: ledger } of segments) {
  const [row] = ledger;
  measured.push([segment, Object.entries(row).map(([name, numbers]) => [name, plain(numbers)])]);
}

export default measured;
