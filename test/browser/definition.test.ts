import { describe, expect, it } from 'vitest';
import { differences } from '../../apps/dashboard/src/data/definition.js';
import { formatVersion, parseManifest } from '../../src/format/manifest.js';
import { smallManifest } from '../support/run-folder.js';

const manifest = parseManifest({ format: 'lossledger', formatVersion, ...smallManifest(3) }, 'here');
const [objective] = manifest.objectives;
const other = { ...objective!, name: 'other' };
const larger = { ...objective!, parts: objective!.parts.map((part) => ({ ...part, examples: part.examples + 1 })) }; // prettier-ignore

describe('what runs differ in beside each other', () => {
  it('is not what one of them measures in addition', () => {
    const more = { ...manifest, objectives: [...manifest.objectives, other] };
    expect(differences(manifest, more)).toEqual([]);
    expect(differences(more, manifest)).toEqual([]);
  });

  it('is an objective of other examples, and none that both have', () => {
    expect(differences(manifest, { ...manifest, objectives: [larger, other] })).toEqual([
      expect.stringMatching(/^Objectives: /),
    ]);
    expect(differences(manifest, { ...manifest, objectives: [other] })).toHaveLength(1);
  });

  it('is a rule, and no engine', () => {
    const rule = { ...manifest.quadrature, rule: 'left' } as const;
    expect(differences(manifest, { ...manifest, quadrature: rule })).toEqual([expect.stringMatching(/^Rule: .*left/)]); // prettier-ignore
    expect(differences(manifest, { ...manifest, engine: { ...manifest.engine, version: 'x 9' } })).toEqual([]); // prettier-ignore
  });
});
