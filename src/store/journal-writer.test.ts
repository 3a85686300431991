import { renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/cli.js';
import { journalName } from '../format/context.js';
import { soundLines } from '../format/journal.js';
import { folderPlace } from './files.js';
import { JournalWriter } from './journal-writer.js';

it('appends what is asked for at once one behind the other', async () => {
  const folder = temporaryFolder();
  const journal = await JournalWriter.open(join(folder, journalName), null);
  const record = (window: number) => ({ type: 'window', window, files: {} }) as const;
  const appends = [[record(0)], [record(1), record(2)], [record(3)]].map((own) => journal.append(...own));
  await Promise.all(appends);
  await journal.close();
  const found = [];
  for await (const line of soundLines(folderPlace(folder))) found.push(line.record);
  expect(found).toEqual([0, 1, 2, 3].map(record));
});

it.each([
  ['moved', (path: string) => { renameSync(path, `${path}.old`); }],
  ['replaced', (path: string) => { renameSync(path, `${path}.old`); writeFileSync(path, ''); }],
  ['cut', (path: string) => { truncateSync(path, 0); }],
])('says that what it writes was %s', async (_, change) => {
  const folder = temporaryFolder();
  const journal = await JournalWriter.open(join(folder, journalName), null);
  const record = { type: 'window', window: 0, files: {} } as const;
  await journal.append(record);
  change(journal.path);
  await expect(journal.append(record)).rejects.toThrow(/was moved, deleted or replaced/);
  await journal.close();
}); // prettier-ignore
