/*
 * Prints what a program of a built-in network holds, in bytes, as the engine plans it and as the process grows (Linux):
 * node --expose-gc --import tsx program-memory.ts ENGINE NETWORK CHUNK
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { differentiate } from '../../src/autodiff/index.js';
import { engineNamed } from '../../src/engines/registry.js';
import type { Engine, Feeds, Program } from '../../src/engines/types.js';
import { attachLoss } from '../../src/graph/loss.js';
import type { Graph } from '../../src/graph/types.js';
import { parameterCount, sizeOf } from '../../src/graph/types.js';
import { modelNamed } from '../../src/models/registry.js';

function gradientGraph(network: string, examples: number): Graph {
  const transform = { dtype: 'uint8', divisor: 255, mean: [], std: [] } as const;
  const forward = modelNamed(network).model.build({ examples, training: false, transform });
  return differentiate(attachLoss(forward, { loss: 'softmaxCrossEntropy' }));
}

/** What a graph is evaluated with, in memory that the caller holds: a chunk as workers share it, θ [K], and room for the gradient [K]. */
function inputsOf(graph: Graph): { feeds: Feeds; theta: Float64Array; gradient: Float64Array } {
  const [pixels, examples] = graph.inputs.map(({ shape }) => sizeOf(shape)) as [number, number];
  const x = new Uint8Array(new SharedArrayBuffer(pixels));
  const labels = new Int32Array(new SharedArrayBuffer(4 * examples));
  const theta = new Float64Array(parameterCount(graph.parameters));
  const gradient = new Float64Array(theta.length).fill(1);
  for (let k = 0; k < x.length; k++) x[k] = (k * 7919) % 256;
  for (let k = 0; k < labels.length; k++) labels[k] = k % 10;
  for (let k = 0; k < theta.length; k++) theta[k] = 0.05 * Math.sin(k);
  return { feeds: { x, labels }, theta, gradient };
}

/** A program that has evaluated its chunk several times. */
async function worked(engine: Engine, graph: Graph, inputs = inputsOf(graph)): Promise<Program> {
  const program = await engine.compile(graph);
  writeFileSync('/proc/self/clear_refs', '5'); // the peak starts anew
  for (let run = 0; run < 3; run++) {
    program.load(inputs.theta);
    await program.run(inputs.feeds, inputs.gradient);
  }
  return program;
}

/** A figure of the process, in bytes: `VmRSS`, what it has in memory now, or `VmHWM`, the most that it had. */
function processBytes(figure: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return 1024 * Number(new RegExp(`${figure}:\\s+(\\d+)`).exec(status)![1]);
}

const [name, network, chunk] = process.argv.slice(2) as [string, string, string];
const engine = await engineNamed(name);
await (await worked(engine, gradientGraph('fc', 1))).dispose(); // loads what the engine needs
const graph = gradientGraph(network, Number(chunk));
const planned = engine.plan(graph).memory;
const inputs = inputsOf(graph);
gc!();
const before = processBytes('VmRSS');
const program = await worked(engine, graph, inputs);
console.log(
  JSON.stringify({
    planned,
    held: program.memory,
    grown: processBytes('VmHWM') - before,
  }),
);
