import type { InferenceSession } from 'onnxruntime-node';
import { EngineError } from '../../errors.js';
import { encodeModel } from '../../onnx/protobuf/encode.js';
import type { Graph } from '../../graph/types.js';
import type { Engine } from '../types.js';
import { availabilityOf } from './availability.js';
import { lowerToOnnx, type LoweredModel } from './lower.js';
import { memoryOf } from './memory.js';
import { OnnxruntimeProgram, type OpenSession } from './program.js';
import { firstLine, loadRuntime, type Provider } from './runtime.js';

export type { Provider } from './runtime.js';

/** The engine that lowers graphs to standard ONNX and runs them on ONNX Runtime, in float32. */
export function onnxruntimeEngine(provider: Provider = 'cpu'): Engine {
  const name = provider === 'cpu' ? 'onnxruntime' : `onnxruntime-${provider}`;
  return {
    name,
    facts: { precision: 'float32', fills: provider === 'cpu' ? 'thread' : 'device', interruptible: false },
    available: () => availabilityOf(provider),
    version: () => `onnxruntime ${loadRuntime().env.versions.node ?? 'unknown'}`,
    plan: (graph) => {
      lowerToOnnx(graph);
      return { memory: memoryOf(graph) };
    },
    compile: (graph) => OnnxruntimeProgram.compile(graph, opener(provider)),
  };
}

function opener(provider: Provider): OpenSession {
  return async (graph) => {
    const lowered = lowerToOnnx(graph);
    const options: InferenceSession.SessionOptions = {
      executionProviders: [providerOptions(provider, lowered)],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // The plan of a first run would be allocated beside what that run took: twice the memory, and no faster.
      enableMemPattern: false,
      logSeverityLevel: 4,
    };
    try {
      const session = await loadRuntime().InferenceSession.create(encodeModel(lowered.model), options);
      return { session, lowered };
    } catch (cause) {
      throw compileFailed(graph, provider, cause);
    }
  };
}

/** WebGPU has no kernel for the second output of MaxPool, but claims the node. */
function providerOptions(
  provider: Provider,
  { model }: LoweredModel,
): InferenceSession.ExecutionProviderConfig {
  const onProcessor = model.nodes.filter((node) => node.op === 'MaxPool' && node.outputs.length > 1);
  if (provider !== 'webgpu' || onProcessor.length === 0) return provider;
  return { name: provider, forceCpuNodeNames: onProcessor.map((node) => node.name) };
}

function compileFailed(graph: Graph, provider: Provider, cause: unknown): EngineError {
  const message = firstLine(cause);
  const node = graph.nodes.find(({ name }) => message.includes(`'${name}/`));
  const place = node === undefined ? `graph ${graph.name}` : `${node.op} node ${node.name}`;
  return new EngineError(
    {
      given: `${place} on onnxruntime (${provider}): ${message}`,
      expected: 'a graph that ONNX Runtime can compile',
      remedy: 'use the reference engine, or rewrite this part of the model',
    },
    { cause },
  );
}
