/*
 * node .ci/summary.mjs FOLDER: what the test commands left in FOLDER (usual.json, usual.log, long.json, long.log, python.xml), in short.
 * Names what failed, also where no test did: files that gave no result, files that failed as a whole, and errors outside of tests.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const [folder] = process.argv.slice(2);
const read = (name) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : '');
const say = (text) => process.stdout.write(`${text}\n`);
const here = (path) => relative(process.cwd(), path);
const head = (text) => text.split('\n').slice(0, 12).join('\n');

const reports = ['usual.json', 'long.json'].map(read).filter(Boolean).map(JSON.parse); // prettier-ignore
const files = reports.flatMap(({ testResults }) => testResults);
for (const { name, status, message, assertionResults } of files.filter((file) => file.status === 'failed')) {
  say(`failed: ${here(name)} (${status}) ${head(message)}`);
  for (const test of assertionResults.filter((each) => each.status === 'failed'))
    say(`  ${test.fullName}: ${head(test.failureMessages.join('\n'))}`);
}

const given = new Set(files.map(({ name }) => here(name)));
const tracked = execFileSync('git', ['ls-files', 'src/*.test.ts', 'test/*.test.ts', 'bench/*.test.ts'], {
  encoding: 'utf8',
});
for (const name of tracked.trim().split('\n').filter((each) => !given.has(each))) say(`no result: ${name}`); // prettier-ignore

for (const name of ['usual.log', 'long.log']) {
  const lines = read(name).split('\n');
  const at = lines.findIndex((line) => /Unhandled|Worker exited|out of memory/.test(line));
  if (at >= 0) say(`outside of tests (${name}):\n${lines.slice(at, at + 40).join('\n')}`);
}

// A process that a signal ended says nothing itself: the kernel does.
const kernel = spawnSync('dmesg', [], { encoding: 'utf8' }).stdout ?? '';
for (const line of kernel.split('\n').filter((each) => /out of memory|oom-kill|segfault|trap |No space/i.test(each)).slice(-10)) say(`kernel: ${line}`); // prettier-ignore

const python = read('python.xml');
const of = (what) => Number(new RegExp(`<testsuite [^>]*\\b${what}="(\\d+)"`).exec(python)?.[1] ?? 0);
const count = (what) => reports.reduce((sum, report) => sum + report[what], 0);
const [bad, skipped] = [of('failures') + of('errors'), of('skipped')];
const passed = count('numPassedTests') + of('tests') - bad - skipped;
say(
  `${passed} passed, ${count('numFailedTests') + bad} failed, ${count('numPendingTests') + skipped} skipped`,
);
