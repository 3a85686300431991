import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RunReader } from '../../src/format/reader.js';
import { GraphBuilder } from '../../src/graph/builder.js';
import { type Graph, parameterCount } from '../../src/graph/types.js';
import { sumAtoms } from '../../src/ledger/atoms.js';
import { gatherSums } from '../../src/ledger/groupings.js';
import { writeOnnx } from '../../src/onnx/index.js';
import { exportFormats, exportRun, type ExportOptions } from '../../src/run/export/export.js';
import type { Quantity } from '../../src/run/export/selection.js';
import { temporaryFolder } from '../support/cli.js';
import { npyNumbers, npzFile } from '../support/npz.js';
import { randomFrom } from '../support/samples.js';
import { exportedRows, wholeRun } from '../support/whole-run.js';

const folder = temporaryFolder();
const file = (name: string) => join(folder, name);
const count = 8;
const groups = ['neuron', 'input', 'tensor', 'layer', 'module', 'kind', 'head', 'ends', 'rows'];

const [positions, width, heads, classes] = [4, 6, 2, 3];

/** Attention of two heads over [1, 4, 6], and the mean over positions as logits. */
function attention(): Graph {
  const builder = new GraphBuilder('attention');
  const parameter = (name: string, shape: number[], neuronAxis: number) =>
    builder.parameter(name, shape, { layer: name.replace(/\.\w+$/, ''), neuronAxis, initializer: { kind: 'zeros' } }); // prettier-ignore
  const x = builder.input('x', 'float32', [1, positions, width]);
  const project = (name: string, perm: number[]) => {
    const product = builder.apply('MatMul', [x, parameter(`block.${name}.weight`, [width, width], 1)]);
    const sum = builder.apply('Add', [product, parameter(`block.${name}.bias`, [width], 0)]);
    const divided = builder.apply('Reshape', [sum], { shape: [1, positions, heads, width / heads] });
    return builder.apply('Transpose', [divided], { perm });
  };
  const scores = builder.apply('MatMul', [project('q', [0, 2, 1, 3]), project('k', [0, 2, 3, 1])]);
  const found = builder.apply('MatMul', [builder.apply('Softmax', [scores], { axis: 3 }), project('v', [0, 2, 1, 3])]); // prettier-ignore
  const turned = builder.apply('Transpose', [found], { perm: [0, 2, 1, 3] });
  const flat = builder.apply('Reshape', [turned], { shape: [1, positions * width] });
  return builder.build([builder.apply('Gemm', [flat, parameter('out.weight', [classes, positions * width], 0), parameter('out.bias', [classes], 0)], { transB: 1 })]); // prettier-ignore
}

/** Writes that network and a few examples. */
function writeInputs(): void {
  const random = randomFrom(5);
  const graph = attention();
  const theta = Float32Array.from({ length: parameterCount(graph.parameters) }, () => random() - 0.5);
  writeFileSync(file('model.onnx'), writeOnnx(graph, theta));
  const inputs = { data: Float32Array.from({ length: count * positions * width }, random), shape: [count, positions, width] }; // prettier-ignore
  const labels = { data: Int32Array.from({ length: count }, (_, k) => k % 2), shape: [count] };
  writeFileSync(file('data.npz'), npzFile({ x: inputs, y: labels }));
}

/** Trains and measures two iterations of it in double precision. */
function made(keepParts: 'sums' | 'parameters'): Promise<RunReader> {
  return wholeRun(file(keepParts), {
    model: file('model.onnx'), data: file('data.npz'), engine: 'reference', iterations: 2, batchSize: 4, momentum: 0.9, learningRate: 0.1, chunk: 8, rule: 'trapezoid',
    parts: ['class'], keepParts, components: true, keepComponents: 'parameters', tolerance: 1e6,
    groupings: { ends: ['out.*', '*.bias'], rows: ['out.weight[1:3]'] },
  }); // prettier-ignore
}

/** Sums by the cells of a grouping of numbers by parameter. */
function gathered({ layout }: RunReader, entity: string, row: Float64Array): Float64Array {
  const own = layout.groupings.find(({ name }) => name === entity)!;
  return gatherSums(own, sumAtoms(row, layout.atoms[own.axis]).results());
}

/** Numbers of an exported file, as other readers find them. */
async function numbersIn(path: string, format: ExportOptions['format']): Promise<number[]> {
  const bytes = readFileSync(path);
  if (format === 'npy') return [...npyNumbers(bytes)];
  if (format === 'json') return (JSON.parse(bytes.toString()) as { rows: number[][] }).rows.flat();
  if (format === 'csv') return bytes.toString().trim().split('\n').slice(1).flatMap((line) => line.split(',').slice(1).map(Number)); // prettier-ignore
  const table = await parquetReadObjects({ file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) }); // prettier-ignore
  return table.map(({ value }) => value as number);
}

const slices: readonly (readonly [string, Pick<Quantity, 'part' | 'component'>])[] = [
  ['the whole', {}],
  ['a part', { part: '1' }],
  ['a component', { component: 'momentum' }],
];

describe.each(slices)('allocations of %s', (_, slice) => {
  let [whole, sums] = [] as unknown as [RunReader, RunReader];
  beforeAll(async () => {
    [whole, sums] = await runs();
  });

  it.each(groups)('by %s are sums of those by parameter, whatever is kept', async (entity) => {
    const parameters = await exportedRows(whole, { what: 'allocation', entity: 'parameter', ...slice });
    const found = await exportedRows(whole, { what: 'allocation', entity, ...slice });
    expect(found.length).toBe(2);
    found.forEach((row, t) => {
      const size = parameters[t]!.reduce((total, value) => total + Math.abs(value), 0);
      const expected = gathered(whole, entity, parameters[t]!);
      expect(row.length).toBe(expected.length);
      row.forEach((value, cell) => expect(Math.abs(value - expected[cell]!)).toBeLessThanOrEqual(1e-12 * size)); // prettier-ignore
    });
    expect(found.flatMap((row) => [...row]).some((value) => value !== 0)).toBe(true);
    const kept = exportedRows(sums, { what: 'allocation', entity, ...slice });
    const isFiner = slice.part !== undefined && ['input', 'rows'].includes(entity);
    if (isFiner) await expect(kept).rejects.toThrow(/--keep-parts parameters/);
    else expect(await kept).toEqual(found);
  });

  it.each(exportFormats)('are the same numbers in %s, by every entity', async (format) => {
    for (const entity of ['parameter', ...groups]) {
      const asked = { what: 'allocation', entity, ...slice };
      const out = file(`out.${format}`);
      await exportRun(whole.place, { ...asked, format, out });
      // Text does not tell a zero below zero from one above.
      const plain = (numbers: readonly number[]) => numbers.map((value) => value + 0);
      const expected = (await exportedRows(whole, asked)).flatMap((row) => [...row]);
      expect(plain(await numbersIn(out, format))).toEqual(plain(expected));
    }
  });
});

let both: Promise<[RunReader, RunReader]> | null = null;

/** A run that keeps its parts by parameter, and one that keeps their sums; made once. */
function runs(): Promise<[RunReader, RunReader]> {
  both ??= (async () => {
    writeInputs();
    return [await made('parameters'), await made('sums')] as [RunReader, RunReader];
  })();
  return both;
}
