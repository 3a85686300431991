import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { engineNamed } from '../../src/engines/registry.js';

const script = join(import.meta.dirname, '../support/program-memory.ts');

interface Figures {
  readonly planned: number;
  readonly held: number;
  /** Of the process, at its peak: the program, its inputs, θ and gradient, and what the JavaScript around it takes. */
  readonly grown: number;
}

function figuresOf(...args: readonly string[]): Figures {
  const output = execFileSync(process.execPath, ['--expose-gc', '--import', 'tsx', script, ...args], { encoding: 'utf8' }); // prettier-ignore
  return JSON.parse(output.trim().split('\n').at(-1)!) as Figures;
}

/** What the JavaScript around a program may take, in bytes. */
const around = 16e6;

/** Growth of the process, of what was planned, at least and at most: native knows what it allocates, the others estimate. */
const cases = [
  { engine: 'native', network: 'lenet', chunk: 2500, least: 0.8, most: 1.05 },
  { engine: 'native', network: 'fc3', chunk: 500, least: 0.8, most: 1.05 },
  { engine: 'onnxruntime', network: 'lenet', chunk: 200, least: 0.5, most: 1.3 },
  { engine: 'onnxruntime', network: 'resnet20', chunk: 40, least: 0.5, most: 1.3 },
  { engine: 'reference', network: 'fc', chunk: 2500, least: 0.3, most: 1.3 },
  { engine: 'reference', network: 'lenet', chunk: 25, least: 0.3, most: 1.3 },
] as const;

const native = await (await engineNamed('native')).available();
if (!native.ok) console.log(`skipped on native: ${native.reason}`);
const here = cases.filter(({ engine }) => native.ok || engine !== 'native');

describe.skipIf(!existsSync('/proc/self/clear_refs'))('what a program takes', () => {
  it.each(here)('on $engine, $network of $chunk examples, is what was planned', (given) => {
    const { engine, network, chunk, least, most } = given;
    const { planned, held, grown } = figuresOf(engine, network, String(chunk));
    expect(held).toBe(planned);
    expect(grown).toBeGreaterThan(least * planned);
    expect(grown).toBeLessThan(most * planned + around);
  });
});
