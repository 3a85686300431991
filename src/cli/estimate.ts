import type { Estimate } from '../run/estimate.js';
import { printJson, printLine, say } from './output.js';
import { bytes, duration } from './progress.js';

/** Prints what a run will cost; on standard output where that is all that was asked for. */
export function printEstimate(
  estimate: Estimate,
  { json, toStdout }: { json: boolean; toStdout: boolean },
): void {
  if (json) {
    printJson(estimate);
    return;
  }
  const print = toStdout ? printLine : say;
  const { segments, gradientsPerSegment, examplesPerSecond, seconds, engine, workers } = estimate;
  print(`${segments} segments, ${gradientsPerSegment} whole-data gradients each (more where refined)`);
  print(`engine ${engine}, ${workers} workers: about ${Math.round(examplesPerSecond)} examples/s here`);
  print(`about ${duration(seconds)}, at most ${bytes(estimate.bytes)} on disk\n`);
}
