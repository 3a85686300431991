import { readFileSync } from 'node:fs';
import { arch } from 'node:process';
import { resolve } from 'node:path';
import type { EngineName } from './cases.js';
import type { Outcome } from './perform.js';

/** The digests that are kept, and what they hold for. */
export interface Baseline {
  /** Widest vector instructions of the processor that they were recorded on. */
  readonly processor: string;
  /** Versions of what the engines rest on: `native` with compiler and instruction set. */
  readonly engines: Readonly<Record<EngineName, string>>;
  /** Arrays of each run by `<case> on <engine>`. */
  readonly runs: Readonly<Record<string, Outcome['digests']>>;
}

export const baselineFile = resolve(import.meta.dirname, 'baseline.json');

export function readBaseline(): Baseline {
  return JSON.parse(readFileSync(baselineFile, 'utf8')) as Baseline;
}

/** Widest vector instructions of this processor, on which the sums of float32 engines depend. */
export function processor(): string {
  const known = ['amx_tile', 'avx512f', 'avx2'];
  return known.find((flag) => new RegExp(`\\b${flag}\\b`).test(cpuFlags())) ?? arch;
}

function cpuFlags(): string {
  try {
    return /^flags.*$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[0] ?? '';
  } catch {
    return '';
  }
}

/** Why a run's numbers may differ from the baseline's here; null where they must not. */
export function elsewhere(baseline: Baseline, name: EngineName, engine: string): string | null {
  if (name === 'reference') return null;
  const expected = `${baseline.engines[name]} with ${baseline.processor}`;
  const here = `${engine} with ${processor()}`;
  return here === expected ? null : `the digests are of ${expected}, and this is ${here}`;
}
