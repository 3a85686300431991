import type { Estimate } from '../experiment/cost/estimate.js';
import { printJson, printLine, say } from './output.js';
import { bytes, duration } from './progress.js';

/** Prints what a run will cost: as the answer (text or JSON), or as an aside on standard error. */
export function printEstimate(estimate: Estimate, form: 'text' | 'json' | 'aside'): void {
  if (form === 'json') {
    printJson(estimate);
    return;
  }
  const print = form === 'text' ? printLine : say;
  const { segments, gradientsPerSegment, examplesPerSecond, seconds, engine, workers } = estimate;
  for (const reason of estimate.passedOver) print(`not used: ${reason}`);
  print(`${segments} segments, ${gradientsPerSegment} whole-data gradients each (more where refined)`);
  print(
    `engine ${engine}, ${workers} workers: about ${Number(examplesPerSecond.toPrecision(2)).toLocaleString('en')} examples/s here`,
  );
  const { worker, total } = estimate.memory;
  print(
    `about ${bytes(total)} of memory: ${bytes(worker)} a worker, and shared sums; beside them the data, and some 0.2 GB for the program itself`,
  );
  print(`about ${duration(seconds)} (${partsOf(estimate)}), at most ${bytes(estimate.bytes)} on disk`);
}

/** The parts that take a tenth of the time or more. */
function partsOf({ parts, seconds }: Estimate): string {
  const telling = Object.entries<number>({ ...parts }).filter(([, part]) => part >= seconds / 10);
  return telling.map(([name, part]) => `${name} ${duration(part)}`).join(', ');
}
