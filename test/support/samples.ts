/** Uniform in [0, 1). */
export type Random = () => number;

/** Weyl sequence with a multiplicative finaliser; good enough to fill test tensors. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/**
 * Where an operator's input may lie: `any` in ±2, `positive` in [0.5, 2], `distinct` numbers at least 0.03 apart from each
 * other, from 0 and from those of the operator's other inputs, numbers in ±5 away from given points, or some of a few.
 */
export type Domain =
  | 'any'
  | 'positive'
  | 'distinct'
  | { readonly awayFrom: readonly number[] }
  | { readonly oneOf: readonly number[] };

function shuffled(count: number, random: Random): number[] {
  const order = Array.from({ length: count }, (_, k) => k);
  for (let k = count - 1; k > 0; k--) {
    const other = Math.floor(random() * (k + 1));
    [order[k], order[other]] = [order[other]!, order[k]!];
  }
  return order;
}

function awayFrom(points: readonly number[], random: Random): number {
  const x = Math.fround(random() * 10 - 5);
  return points.some((point) => Math.abs(x - point) < 0.03) ? awayFrom(points, random) : x;
}

/** Random numbers of a domain, exact in float32. `index` is the place of the input among the operator's inputs. */
export function samples(domain: Domain, count: number, index: number, random: Random): number[] {
  if (domain === 'distinct') {
    const offset = 0.03 * (index + 1) - 0.1 * Math.floor(count / 2);
    return shuffled(count, random).map((rank) => Math.fround(rank * 0.1 + offset));
  }
  return Array.from({ length: count }, () => {
    if (domain === 'any') return Math.fround(random() * 4 - 2);
    if (domain === 'positive') return Math.fround(0.5 + random() * 1.5);
    if ('awayFrom' in domain) return awayFrom(domain.awayFrom, random);
    return domain.oneOf[Math.floor(random() * domain.oneOf.length)]!;
  });
}
