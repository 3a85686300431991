/* Writes a run of many segments of a tiny network, verifies and analyses it, and prints the most memory it held. */
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
console.log(`${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`);
