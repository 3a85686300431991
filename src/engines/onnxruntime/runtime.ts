import { createRequire } from 'node:module';
import type * as Onnxruntime from 'onnxruntime-node';
import { EngineError, isLossledgerError } from '../../errors.js';

/** What executes the lowered graph. */
export type Provider = 'cpu' | 'webgpu' | 'cuda';

type Runtime = typeof Onnxruntime;

const require = createRequire(import.meta.url);

/** Path of the native library's JavaScript entry; null where the package is not installed. */
export function runtimePath(): string | null {
  try {
    return require.resolve('onnxruntime-node');
  } catch {
    return null;
  }
}

/** Adds the package as npm should: its install script only downloads CUDA libraries, and fails where it cannot. */
const installation = 'npm install --ignore-scripts onnxruntime-node';

/** Loads ONNX Runtime on first use, so that the other engines work without it. Its log is silent. Throws EngineError where it is not
 * installed or cannot be loaded. */
export function loadRuntime(): Runtime {
  if (runtimePath() === null) throw notInstalled();
  try {
    const runtime = require('onnxruntime-node') as Runtime;
    runtime.env.logLevel = 'fatal';
    return runtime;
  } catch (cause) {
    throw new EngineError(
      {
        given: `onnxruntime-node cannot be loaded on ${process.platform} ${process.arch}: ${firstLine(cause)}`,
        expected: 'the npm package onnxruntime-node with a binary for this platform',
        remedy: `run ${installation}, or choose the reference or the native engine`,
      },
      { cause },
    );
  }
}

function notInstalled(): EngineError {
  return new EngineError({
    given: 'the npm package onnxruntime-node is not installed',
    expected: 'onnxruntime-node, an optional dependency',
    remedy: `add it with \`${installation}\`, or choose the reference or the native engine`,
  });
}

/** Why ONNX Runtime could not be loaded, with what to do about it. */
export function loadProblem(error: unknown): string {
  if (!isLossledgerError(error)) return firstLine(error);
  return `${error.problem.given}; ${error.problem.remedy}`;
}

export function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n')[0]!;
}
