import ts from 'typescript';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { linesOf, namedFunctions } from '../support/compiler.js';
import { absolute, generated, sourceFiles, textOf } from '../support/sources.js';

const files = sourceFiles().filter((file) => !generated.includes(file));
const lengths = new Map(files.map((file) => [file, textOf(file).trimEnd().split('\n').length]));

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Lengths of all functions with a name. */
function functionLengths(): number[] {
  return files.flatMap((file) => {
    const parsed = ts.createSourceFile(absolute(file), textOf(file), ts.ScriptTarget.ES2023, true);
    return namedFunctions(parsed).map(({ node }) => linesOf(node));
  });
}

describe('the production code', () => {
  it('has no file of more than 300 lines', () => {
    const long = [...lengths].filter(([, length]) => length > 300);
    expect(Object.fromEntries(long)).toEqual({});
  });

  it('has files of 70 to 150 lines, by their median', () => {
    const middle = median([...lengths.values()]);
    expect(middle).toBeGreaterThanOrEqual(70);
    expect(middle).toBeLessThanOrEqual(150);
  });

  it('has no folder of more than 15 files of its own', () => {
    const counts: Record<string, number> = {};
    for (const file of files) counts[dirname(file)] = (counts[dirname(file)] ?? 0) + 1;
    const crowded = Object.entries(counts).filter(([, count]) => count > 15);
    expect(Object.fromEntries(crowded)).toEqual({});
  });

  it('has functions of at most 10 lines, by their median', () => {
    const all = functionLengths();
    expect(all.length).toBeGreaterThan(1000);
    expect(median(all)).toBeLessThanOrEqual(10);
  });
});
