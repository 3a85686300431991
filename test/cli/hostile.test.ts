import { existsSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { beforeAll, describe, expect, it } from 'vitest';
import { lca, lcaProcess, temporaryFolder, type CliResult } from '../support/cli.js';
import { claims, cyclic, external, input, model, nestedBranches, npyClaim, safetensors, theta, tiled } from '../support/hostile-files.js'; // prettier-ignore
import { npyFile, npzFile } from '../support/npz.js';
import { encodeSafetensors } from '../support/safetensors.js';

const folder = temporaryFolder();
const file = (name: string) => join(folder, name);

/** What stands in the place of the good model, trajectory or data, and what the message says. */
const hostile: readonly (readonly [
  string,
  'model' | 'trajectory' | 'data',
  string,
  (() => Uint8Array) | null,
  RegExp,
])[] = [
  [
    'a length of 2 GiB',
    'model',
    'claim.onnx',
    () => Uint8Array.of(8, 8, 0x3a, 255, 255, 255, 255, 7, 1, 2),
    /a field of 2147483647 bytes where 2 are left/,
  ],
  ['2 GiB of zeros', 'model', 'zeros.onnx', null, /begins with no field of a model/],
  ['an endless device', 'model', 'device.onnx', null, /device.onnx: not a plain file/],
  ['a folder', 'model', 'folder.onnx', null, /not a plain file/],
  [
    'groups nested five million deep',
    'model',
    'groups.onnx',
    () => new Uint8Array(5_000_000).fill(0x0b),
    /not a readable ONNX model/,
  ],
  [
    'groups nested in a model',
    'model',
    'deep.onnx',
    () => Buffer.concat([Buffer.of(8, 8), new Uint8Array(5_000_000).fill(0x0b)]),
    /not a readable ONNX model/,
  ],
  [
    'branches nested 1,000 deep',
    'model',
    'branches.onnx',
    () => nestedBranches(1000),
    /not a readable ONNX model/,
  ],
  ['a cycle', 'model', 'cyclic.onnx', () => cyclic, /a cycle through node/],
  ['a negative extent', 'model', 'negative.onnx', () => input(-4), /shape \[\?, -4\]/],
  ['a huge extent', 'model', 'huge.onnx', () => input(2 ** 40), /1099511627776/],
  ['activations of 600 GB', 'model', 'tiled.onnx', () => tiled(1e8), /a result of shape \[13, 300000000\]/],
  ['its end cut off', 'model', 'cut.onnx', () => model().subarray(0, 60), /not a readable ONNX model/],
  [
    'data in ../../etc/passwd',
    'model',
    'traversal.onnx',
    () => external('../../etc/passwd'),
    /external data in "..\/..\/etc\/passwd"/,
  ],
  [
    'data in /etc/passwd',
    'model',
    'absolute.onnx',
    () => external('/etc/passwd'),
    /external data in "\/etc\/passwd"/,
  ],
  [
    'data in a device',
    'model',
    'outside.onnx',
    () => external('device.onnx'),
    /device.onnx, which the model names and which cannot be read/,
  ],
  [
    'a header of 2^63 bytes',
    'trajectory',
    'header.safetensors',
    () => safetensors('{}', 2n ** 63n),
    /a header of 9223372036854776000 bytes/,
  ],
  [
    'a header nested five million deep',
    'trajectory',
    'deep.safetensors',
    () => safetensors('{"theta":' + '['.repeat(5e6) + ']'.repeat(5e6) + '}'),
    /a deeply nested header/,
  ],
  [
    'a negative extent',
    'trajectory',
    'negative.safetensors',
    () => claims([-3, -12], 144),
    /malformed entry/,
  ],
  [
    'a huge extent',
    'trajectory',
    'huge.safetensors',
    () => claims([2 ** 50, 12], 12 * 2 ** 48),
    /malformed entry|claims a float32 array/,
  ],
  [
    'its end cut off',
    'trajectory',
    'cut.safetensors',
    () => encodeSafetensors({ theta }).subarray(0, 150),
    /truncated or inconsistent/,
  ],
  [
    'a zip bomb',
    'trajectory',
    'bomb.npz',
    () => zipSync({ 'theta.npy': npyFile(new Float32Array(48e6), [4e6, 12]) }, { level: 1 }),
    /bytes claimed where \d+ are stored/,
  ],
  ['a negative extent', 'trajectory', 'negative.npy', () => npyClaim('-5, 4'), /shape': \(-5, 4\)/],
  [
    'HDF5, its end cut off',
    'trajectory',
    'cut.h5',
    () => Buffer.from('\x89HDF\r\n\x1a\n' + '\0'.repeat(600), 'latin1'),
    /not readable as HDF5/,
  ],
  [
    'a zip bomb',
    'data',
    'bomb-data.npz',
    () =>
      zipSync(
        { 'x.npy': npyFile(new Float32Array(4e7), [1e7, 4]), 'y.npy': npyFile(new Int32Array(5), [5]) },
        { level: 1 },
      ),
    /bytes claimed where \d+ are stored/,
  ],
  ['a huge extent', 'data', 'huge.npy,y.npy', () => npyClaim('99999999999, 4'), /99999999999/],
  [
    'huge extents in IDX',
    'data',
    'huge.idx,y.npy',
    () => Uint8Array.of(0, 0, 14, 3, ...new Array<number>(12).fill(255)),
    /4294967295/,
  ],
  ['an endless device', 'data', 'device.onnx,y.npy', null, /not a plain file/],
];

beforeAll(() => {
  writeFileSync(file('good.onnx'), model());
  writeFileSync(file('good.safetensors'), encodeSafetensors({ theta }));
  const y = Int32Array.of(0, 1, 2, 0, 1);
  writeFileSync(
    file('good.npz'),
    npzFile({ x: { shape: [5, 4], data: new Float32Array(20).fill(1) }, y: { shape: [5], data: y } }),
  );
  writeFileSync(file('y.npy'), npyFile(y, [5]));
  writeFileSync(file('zeros.onnx'), '');
  truncateSync(file('zeros.onnx'), 2 ** 31 - 1);
  symlinkSync('/dev/zero', file('device.onnx'));
  mkdirSync(file('folder.onnx'));
});

/**
 * The process's largest resident size in MiB, said on standard error when it ends. Linux's own count is of this program alone;
 * `maxRSS` counts what started it, too, and is used elsewhere.
 */
const sayMemory = encodeURIComponent(`
  import { readFileSync } from 'node:fs';
  process.on('exit', () => {
    let kibibytes = process.resourceUsage().maxRSS;
    try { kibibytes = Number(/VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]); } catch {}
    process.stderr.write('memory=' + kibibytes / 1024);
  });`);
const counted = { NODE_OPTIONS: `--import=data:text/javascript,${sayMemory}` };

/** What a refusal may need beyond what the good files need: far less than the hostile ones claim, unpack to or hold. */
const allowance = 100;
let usual = 0;

const memoryOf = (stderr: string): number => Number(/memory=([\d.]+)/.exec(stderr)![1]);

function measure(change: Readonly<Record<string, string>>, out: string): Promise<CliResult> {
  const given = {
    model: file('good.onnx'),
    trajectory: file('good.safetensors'),
    data: file('good.npz'),
    ...change,
  };
  const flags = Object.entries(given).flatMap(([name, value]) => [`--${name}`, value]);
  return lcaProcess(
    ['measure', ...flags, '--engine', 'reference', '--tolerance', 'none', '--quiet', '--out', out],
    counted,
  );
}

describe('hostile files, from the command line', () => {
  it('are told from good ones', async () => {
    const { code, stderr } = await measure({}, file('good'));
    expect(code, stderr).toBe(0);
    usual = memoryOf(stderr);
  });

  it.each(hostile)('%s (%s %s): refused before it is read whole', async (_, role, name, build, message) => {
    const [first] = name.split(',');
    if (build !== null) writeFileSync(file(first!), build());
    const out = file('refused');
    const { code, stderr } = await measure({ [role]: name.split(',').map(file).join(',') }, out);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/expected:[^]*to do:/);
    expect(code).toBe(2);
    expect(memoryOf(stderr)).toBeLessThan(usual + allowance);
    expect(existsSync(out)).toBe(false);
  });

  it('models are refused by inspect too', async () => {
    for (const [, role, name] of hostile) {
      if (role !== 'model' || name === 'tiled.onnx') continue;
      const { code, stderr, stdout } = await lca(['inspect', file(name)]);
      expect(code, name).toBe(2);
      expect(stdout + stderr).toMatch(/expected:|cannot be measured|not supported/i);
    }
  });
}); // prettier-ignore
