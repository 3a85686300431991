/** Counts up to which a coin's chances are added up exactly; beyond, a Gaussian stands for them. */
const exactLimit = 4000;

/** Bins of 1/20 of the share that helps, the last with its upper end. */
export const shareBins = 20;

/** Bin of a share helping / count, in whole numbers, so that no rounding moves a share that lies on an edge. */
export const binOfShare = (helping: number, count: number): number =>
  Math.min(shareBins - 1, Math.floor((shareBins * helping) / count));

/** Σ chance by bin [20] of the share of heads in n tosses of a coin that shows heads with probability p. */
export function coinBins(n: number, p: number): Float64Array {
  const bins = new Float64Array(shareBins);
  const logs = logChances(n, p);
  if (n <= exactLimit) {
    for (let h = 0; h <= n; h++) bins[binOfShare(h, n)]! += Math.exp(logs(h));
    return bins;
  }
  const [mean, deviation] = [n * p, Math.sqrt(n * p * (1 - p))];
  const steps = 2000;
  let total = 0;
  for (let i = 0; i <= steps; i++) {
    const z = -8 + (16 * i) / steps;
    const weight = Math.exp((-z * z) / 2);
    bins[binOfShare(Math.min(n, Math.max(0, mean + z * deviation)), n)]! += weight;
    total += weight;
  }
  return bins.map((weight) => weight / total);
}

/** Logarithm of the binomial chance of h heads; from h to h by its recurrence, so in order only. */
function logChances(n: number, p: number): (h: number) => number {
  let current = n * Math.log1p(-p);
  let at = 0;
  return (h) => {
    while (at < h) {
      current += Math.log(((n - at) / (at + 1)) * (p / (1 - p)));
      at++;
    }
    return current;
  };
}
