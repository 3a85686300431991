import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/cli.js';
import { randomFrom } from '../support/samples.js';
import { tortures } from './tortures.js';

/** Of what `npm run torture` does. */
const share = 0.01;

it.each(tortures.map((torture, index) => [torture.run.name, index, torture] as const))(
  '%s, a little of it',
  async (name, index, { count, run }) => {
    const folder = join(temporaryFolder(), name);
    mkdirSync(folder);
    const { failures } = await run(Math.ceil(share * count), randomFrom(100 + index), folder);
    expect(failures).toEqual([]);
  },
);
