/* Tries a run folder and the command line hard, and prints a table: tsx test/torture/main.ts [share of the full size, default 1] [kind, such as deepKills; default all]. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../support/cli.js';
import { randomFrom } from '../support/samples.js';
import { tortures } from './tortures.js';

const share = Number(process.argv[2] ?? 1);
const kind = process.argv[3];
let failed = false;
console.log('| what | tried | held | seconds | |\n| --- | --- | --- | --- | --- |');
for (const [index, { count, run }] of tortures.entries()) {
  if (kind !== undefined && run.name !== kind) continue;
  const folder = join(temporaryFolder(), String(index));
  mkdirSync(folder);
  const began = performance.now();
  const { what, tried, failures, note } = await run(
    Math.max(1, Math.round(share * count)),
    randomFrom(index + 1),
    folder,
  );
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(`| ${what} | ${tried} | ${tried - failures.length} | ${seconds} | ${note ?? ''} |`);
  for (const failure of failures.slice(0, 5)) console.error(failure);
  failed ||= failures.length > 0;
}
process.exitCode = failed ? 1 : 0;
