import { expect, it } from 'vitest';
import { makeProgram } from './program.js';

const namesOf = async (words?: readonly string[]) =>
  (await makeProgram(words)).commands.map((command) => command.name());

it('loads for the words of lca work that command alone', async () => {
  expect(await namesOf(['work', 'run', '--task', '3'])).toEqual(['work']);
});

it.each([[[]], [['--help']], [['wrok']], [['--quiet', 'work']], [['completion', 'bash']]])(
  'has all commands for the words %j',
  async (words) => {
    const all = await namesOf();
    expect(all).toContain('work');
    expect(all.length).toBeGreaterThan(20);
    expect(await namesOf(words)).toEqual(all);
  },
);

it('says the same of lca work, alone and among the others', async () => {
  const helpOf = async (words: readonly string[]) =>
    (await makeProgram(words)).commands.find((command) => command.name() === 'work')!.helpInformation();
  expect(await helpOf(['work'])).toBe(await helpOf([]));
});
