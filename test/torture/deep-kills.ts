import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ended, fingerprint, lcaProcess, startCli } from '../support/cli.js';
import { writeRecordedRun } from '../support/recorded.js';
import type { Random } from '../support/samples.js';
import type { Outcome } from './outcome.js';

/** What is measured besides, by name. */
const variants: Readonly<Record<string, readonly string[]>> = {
  certified: ['--certify', '0.99', '--max-subintervals', '8', '--keep', 'layers'],
  sampled: ['--sample', '128', '--parts', 'class', '--keep-parts', 'parameters'],
  'by parts and components': ['--parts', 'class', '--components', '--keep-components', 'parameters', '--basis', 'pca:2'],
}; // prettier-ignore

/** What a run is, or what was said where it cannot be brought to its end. */
type Ended = { readonly files: Readonly<Record<string, string>> } | { readonly failed: string };

/** Kills training and measuring of small runs with everything on at random moments; brought to their end, they have the bytes of one that was left alone. */
export async function deepKills(count: number, random: Random, folder: string): Promise<Outcome> {
  writeRecordedRun(folder, 2);
  const failures: string[] = [];
  let killed = 0;
  const names = Object.keys(variants);
  for (let round = 0; killed < count; round++) {
    const name = names[round % names.length]!;
    const own = join(folder, String(round));
    mkdirSync(own);
    const next = (run: string) => (existsSync(run) ? ['measure', run, '--quiet', '--workers', '1'] : make(folder, run, variants[name]!)); // prettier-ignore
    const began = performance.now();
    const expected = await finished(join(own, 'whole'), next);
    // One command of two, however busy the machine is.
    const longest = (performance.now() - began) / 2;
    const run = join(own, 'run');
    for (let tried = 0; tried < 3; tried++) {
      const child = startCli(next(run));
      const end = ended(child);
      await Promise.race([end, sleep(longest * random())]);
      if (child.exitCode === null) killed++;
      child.kill('SIGKILL');
      await end;
    }
    const found = await finished(run, next);
    failures.push(...differences(expected, found).map((difference) => `${name}: ${difference}`));
    rmSync(own, { recursive: true });
  }
  return { what: 'processes killed that certify, sample, divide and split; the same bytes after', tried: killed, failures }; // prettier-ignore
}

function make(folder: string, run: string, more: readonly string[]): string[] {
  return [
    'train', '--model', join(folder, 'model.onnx'), '--data', join(folder, 'data.npz'), '--divisor', '1', '--engine', 'onnxruntime', '--chunk', '50',
    '--batch-size', '20', '--iterations', '40', '--momentum', '0.9', '--measure', 'train', '--quiet', ...more, '--out', run,
  ]; // prettier-ignore
}

/** What differs between a run that was left alone and one that was killed. */
function differences(expected: Ended, found: Ended): string[] {
  if ('failed' in expected) return [`left alone: ${expected.failed}`];
  if ('failed' in found) return [`after kills: ${found.failed}`];
  const [whole, killed] = [expected.files, found.files];
  const files = Object.keys({ ...whole, ...killed }).filter((file) => killed[file] !== whole[file]);
  return files.map(
    (file) => `${file}: ${whole[file] ?? 'missing'}, after kills ${killed[file] ?? 'missing'}`,
  );
}

/** Checksums of a run that is trained and measured to its end; what it says where it cannot be. */
async function finished(run: string, next: (run: string) => string[]): Promise<Ended> {
  for (let step = 0; step < 2; step++) {
    const command = next(run);
    const { code, signal, stderr } = await lcaProcess(command);
    if (code !== 0) return { failed: `${command.join(' ')} ended by ${signal ?? String(code)}: ${stderr}` };
  }
  // What a killed process has left of its lock is none of the run's content, and the journal tells when it was written.
  const content = Object.entries(fingerprint(run)).filter(
    ([file]) => file !== 'journal' && !file.startsWith('lock'),
  );
  return { files: Object.fromEntries(content) };
}
