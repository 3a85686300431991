/** Evaluations per timing, so that the pipeline between evaluations is measured as a run uses it. */
const burst = 3;

/**
 * Times bursts of overlapping evaluations of `count` examples for so many seconds (three bursts at least) after one to warm up;
 * returns examples per second of each burst, ascending.
 */
export async function timeEvaluations(
  evaluate: () => Promise<unknown>,
  count: number,
  seconds: number,
): Promise<number[]> {
  const runBurst = () => Promise.all(Array.from({ length: burst }, evaluate));
  await runBurst();
  const rates: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (rates.length < 3 || performance.now() < end) {
    const start = performance.now();
    await runBurst();
    rates.push((burst * count * 1000) / (performance.now() - start));
  }
  return rates.sort((a, b) => a - b);
}

/** The middle of an ascending list. */
export function median(ascending: readonly number[]): number {
  return ascending[Math.floor(ascending.length / 2)]!;
}
