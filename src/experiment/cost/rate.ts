/**
 * Times evaluations of `count` examples, `depth` of them under way at once as measuring has them, for so many seconds (at least `timings` times) after a
 * few to warm up; returns examples per second of each timing, ascending.
 */
export async function timeEvaluations(
  evaluate: () => Promise<unknown>,
  { count, seconds, depth, timings = 3 }: { count: number; seconds: number; depth: number; timings?: number },
): Promise<number[]> {
  const underWay: Promise<unknown>[] = [];
  const begin = () => {
    const evaluation = evaluate();
    // A failure reaches whoever awaits the oldest; the others must not end the process.
    evaluation.catch(() => undefined);
    underWay.push(evaluation);
  };
  const finishSome = async () => {
    for (let finished = 0; finished < depth; finished++) {
      while (underWay.length < depth) begin();
      await underWay.shift();
    }
  };
  await finishSome();
  const rates: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (rates.length < timings || performance.now() < end) {
    const start = performance.now();
    await finishSome();
    rates.push((depth * count * 1000) / (performance.now() - start));
  }
  await Promise.all(underWay);
  return rates.sort((a, b) => a - b);
}

/** The middle of an ascending list. */
export function median(ascending: readonly number[]): number {
  return ascending[Math.floor(ascending.length / 2)]!;
}
