/* Writes a run of many segments of a tiny network, verifies and analyses it, and prints the most memory it held. */
import { existsSync, readFileSync } from 'node:fs';
import { analyseRun } from '../../src/analysis/index.js';
import { verifyRun } from '../../src/format/verify/verify.js';
import { folderPlace } from '../../src/store/files.js';
import { createRunFolder, openRun } from '../../src/store/open.js';
import { finish, smallManifest } from '../support/run-folder.js';

const [folder, count] = process.argv.slice(2) as [string, string];
const tensors = [{ name: 'w', shape: [2, 3], layer: 'fc', neuronAxis: 0 }];
const content = smallManifest(Number(count), { keep: 'neurons' }, tensors);
const run = await createRunFolder(folder, content);
await finish(run, content);
await run.close();
const findings = await verifyRun(folderPlace(folder));
if (findings.length > 0) throw new Error(JSON.stringify(findings.slice(0, 3)));
await analyseRun(await (await openRun(folder)).view());
console.log(`${Math.round(mostMemory() / 1024)} MiB`);

/** KiB; Linux's own count is of this program alone, `maxRSS` counts what started it, too. */
function mostMemory(): number {
  const counted =
    existsSync('/proc/self/status') && /VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'));
  return counted ? Number(counted[1]) : process.resourceUsage().maxRSS;
}
