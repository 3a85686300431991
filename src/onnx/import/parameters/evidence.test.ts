import { describe, expect, it } from 'vitest';
import { settledNames, type Candidate } from './evidence.js';

const candidates: readonly Candidate[] = [
  { name: 'positions', size: 12, verdict: 'likely' },
  { name: 'mean', size: 5, verdict: 'unlikely' },
  { name: 'tau', size: 1, verdict: 'unlikely' },
  { name: 'fc.weight', size: 30, verdict: 'trained' },
  { name: 'bn.running_mean', size: 6, verdict: 'constant' },
];

function settled(evidence: Parameters<typeof settledNames>[1]): string[] {
  return [...settledNames(candidates, evidence)];
}

describe('what is trained', () => {
  it('is what looks like it, without evidence or with one that nothing fits', () => {
    expect(settled({})).toEqual(['positions', 'fc.weight']);
    expect(settled({ size: 1000 })).toEqual(['positions', 'fc.weight']);
  });

  it('is told by the number of parameters, with the fewest changes', () => {
    expect(settled({ size: 42 })).toEqual(['positions', 'fc.weight']);
    expect(settled({ size: 30 })).toEqual(['fc.weight']);
    expect(settled({ size: 43 })).toEqual(['positions', 'fc.weight', 'tau']);
    expect(settled({ size: 36 })).toEqual(['fc.weight', 'mean', 'tau']);
  });

  it('stays as it looks where two choices have the same size', () => {
    const twins = [...candidates, { name: 'rate', size: 1, verdict: 'unlikely' } as const];
    expect([...settledNames(twins, { size: 43 })]).toEqual(['positions', 'fc.weight']);
  });
});
