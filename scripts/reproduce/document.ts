import { cpus } from 'node:os';
import { version } from '../../src/experiment/version.js';
import { cnnSection, sectionsSection } from './cnn.js';
import { fcSection } from './fc.js';
import type { Group } from './plan.js';
import type { Results, RunResult } from './results.js';
import { table } from './words.js';

/** A command and what it would cost here. */
export interface Cost {
  readonly command: string;
  readonly cost: string;
}

function inGroup({ runs }: Results, group: Group): RunResult[] {
  return [...runs.values()].filter(({ step }) => step.group === group);
}

/** The whole document. */
export function documentOf(results: Results, full: readonly Cost[]): string {
  const missing =
    results.missing.length === 0
      ? []
      : [`Not done when this was written: ${results.missing.map(({ name }) => name).join(', ')}. They are left out below, or stand there with the iterations that were done.`];
  return `${[
    '# Reproduction of the paper',
    `Made by \`npm run reproduce\` with version ${version} on a machine with ${cpus().length} cores. Every number follows from a run of this program; the paper’s (Lan, Liu, Zhou and Yosinski, NeurIPS 2019) stand beside it. [ANALYSES.md](ANALYSES.md) defines every quantity, [GALLERY.md](GALLERY.md) shows the figures.`,
    '`npm run reproduce -- --only fc` does a part (`fc`, `cnn`, `sections`), `--out FOLDER` says where runs are kept, `--dry-run` states the cost and stops. What is done is not done again, and what was interrupted goes on.',
    ...missing,
    '## Fully connected networks on MNIST, in full',
    'All 55,000 examples, 880 iterations, divided by class; one training of each. The paper’s weights and order of examples are not known, so its runs are other draws.',
    fcSection(inGroup(results, 'fc')),
    '## Convolutional networks, in part',
    cnnSection(inGroup(results, 'cnn')),
    '## Experiments of Section 4, in part',
    'The paper does these with ResNet-20 over 5,000 iterations and ten seeds; `lca sweep NAME --out FOLDER` runs them so.',
    sectionsSection(results),
    '## What it takes in full',
    'Estimates of `--dry-run`, on this machine as it was then:',
    table(['command', 'cost'], full.map(({ command, cost }) => [`\`${command}\``, cost])),
  ].join('\n\n')}\n`;
} // prettier-ignore
