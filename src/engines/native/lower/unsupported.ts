import { EngineError } from '../../../errors.js';
import type { Application } from '../../../graph/application.js';
import { describeApplication } from '../../../graph/application.js';

/** The error for a node that the native engine does not do. */
export function unsupported(node: Application, expected: string): EngineError {
  return new EngineError(
    {
      given: `${describeApplication(node)}, which the native engine does not support`,
      expected,
      remedy: 'use `--engine onnxruntime`, or `--engine auto`, which picks an engine that supports it',
    },
    { exitCode: 2 },
  );
}
