/** Lanes that one shuffle of two vectors takes: indices from `lanes` on count in the second vector. */
function shuffle(a: string, b: string, picks: readonly number[]): string {
  return `SHUFFLE(${a}, ${b}, ${picks.join(', ')})`;
}

const lanesOf = (lanes: number, pick: (lane: number) => number): number[] =>
  Array.from({ length: lanes }, (_, lane) => pick(lane));

export interface LaneSums {
  readonly code: string;
  /** Names of the vectors that hold the sums. */
  readonly results: readonly string[];
  /** Which input's sum lies in which lane of the results, one after the other; inputs repeat where lanes are left. */
  readonly order: readonly number[];
}

interface Partial {
  readonly name: string;
  readonly owners: readonly number[];
}

/**
 * Sums of the lanes of each of `inputs`, by a tree: each level adds the halves of the blocks of two vectors, so that n
 * vectors cost about three operations each.
 */
export function laneSums(inputs: readonly string[], lanes: number): LaneSums {
  const code: string[] = [];
  let level: Partial[] = inputs.map((name, index) => ({ name, owners: lanesOf(lanes, () => index) }));
  for (let block = lanes; block > 1; block /= 2) {
    const half = block / 2;
    const next: Partial[] = [];
    for (let k = 0; k < level.length; k += 2) {
      const a = level[k]!;
      const b = level[k + 1] ?? a;
      const isFirst = (lane: number): boolean => lane % block < half;
      const low = lanesOf(lanes, (lane) => (isFirst(lane) ? lane : lanes + lane - half));
      const high = lanesOf(lanes, (lane) => (isFirst(lane) ? lane + half : lanes + lane));
      const name = `sum${half}_${k / 2}`;
      code.push(`const v ${name} = ${shuffle(a.name, b.name, low)} + ${shuffle(a.name, b.name, high)};`);
      next.push({ name, owners: lanesOf(lanes, (lane) => (isFirst(lane) ? a : b).owners[lane]!) });
    }
    level = next;
  }
  return {
    code: code.join('\n'),
    results: level.map((entry) => entry.name),
    order: level.flatMap((entry) => entry.owners),
  };
}

/**
 * Transposes a square of vectors of `type`: afterwards lane j of `names[i]` is what lane i of `names[j]` was. `names` are
 * variables, which are overwritten.
 */
export function transpose(names: readonly string[], type: string): string {
  const size = names.length;
  const code: string[] = [];
  for (let block = size / 2; block >= 1; block /= 2) {
    const isFirst = (lane: number): boolean => (lane & block) === 0;
    const low = lanesOf(size, (lane) => (isFirst(lane) ? lane : size + lane - block));
    const high = lanesOf(size, (lane) => (isFirst(lane) ? lane + block : size + lane));
    for (let i = 0; i < size; i++) {
      if ((i & block) !== 0) continue;
      const a = names[i]!;
      const b = names[i + block]!;
      code.push(`{ const ${type} low = ${shuffle(a, b, low)}; ${b} = ${shuffle(a, b, high)}; ${a} = low; }`);
    }
  }
  return code.join('\n');
}
