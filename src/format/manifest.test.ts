import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { smallManifest, temporaryFolder } from '../../test/support/run-folder.js';
import { decodeManifest, encodeManifest, formatVersion, parseManifest } from './manifest.js';
import { verifyFolder } from '../run/verify.js';
import { createRunFolder, openRun, resumeRun } from '../store/open.js';

const manifest = parseManifest({ format: 'lossledger', formatVersion, ...smallManifest(3) }, 'here');
const changed = (change: object) => () => parseManifest({ ...manifest, ...change }, 'here/manifest.json');

describe('manifest', () => {
  it('is the same after it was stored, and the same bytes whatever the order of keys', () => {
    const bytes = encodeManifest(manifest);
    expect(decodeManifest(bytes, 'here')).toEqual(manifest);
    const reversed = Object.fromEntries(Object.entries(manifest).reverse());
    expect(encodeManifest(parseManifest(reversed, 'here'))).toEqual(bytes);
  });

  it('of another version is refused, whatever else it holds', () => {
    expect(changed({ formatVersion: formatVersion + 1, news: 1 })).toThrow(
      /here\/manifest\.json is of format version 3\n.*expected: format version 2/,
    );
  });

  it('of the version before, whose arrays had other names, is refused with a word on what to do', () => {
    expect(changed({ formatVersion: 1 })).toThrow(/of format version 1\n.*only one.*\n.*make the run again/);
  });

  it.each([
    [{ format: 'other' }, /format/],
    [{ extra: 1 }, /extra/],
    [{ seed: 'x' }, /seed/],
    [{ objectives: [] }, /objectives/],
    [{ objectives: [manifest.objectives[0], manifest.objectives[0]] }, /each objective once/],
    [{ objectives: [{ name: '../up', parts: [{ name: 'all', examples: 1 }] }] }, /letters, digits/],
    [{ layers: [{ name: 'fc1', neurons: 3 }] }, /do not fit the layers/],
    [{ parameters: [{ ...manifest.parameters[0]!, offset: 1 }] }, /end to end/],
    [{ trajectory: { iterations: 3, iteration: [0, 1], batchSize: null } }, /holds 2 numbers/],
  ])('is checked: %o', (change, message) => {
    expect(changed(change)).toThrow(message);
  });
});

describe('a run folder', () => {
  let place: ReturnType<typeof temporaryFolder>;
  beforeEach(() => {
    place = temporaryFolder();
  });
  afterEach(() => {
    place.remove();
  });

  const quiet = { start: () => undefined, update: () => undefined, stop: () => undefined };
  const verify = (folder: string) => verifyFolder(folder, { sample: 0, checking: quiet, recomputing: quiet });

  it('without a manifest is no run', async () => {
    for (const open of [openRun, resumeRun, verify]) {
      await expect(open(place.parent)).rejects.toMatchObject({ tag: 'store', exitCode: 2 });
      await expect(open(join(place.parent, 'nowhere'))).rejects.toMatchObject({ tag: 'store', exitCode: 2 });
    }
  });

  it('of a newer version is refused by everything, with exit code 2', async () => {
    await (await createRunFolder(place.run, smallManifest(3))).close();
    const path = join(place.run, 'manifest.json');
    const newer = readFileSync(path, 'utf8').replace('"formatVersion": 2', '"formatVersion": 3');
    writeFileSync(path, newer);
    for (const open of [openRun, resumeRun]) {
      await expect(open(place.run)).rejects.toThrow(/format version 3/);
      await expect(open(place.run)).rejects.toMatchObject({ tag: 'store', exitCode: 2 });
    }
  });
});
