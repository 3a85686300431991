import { fileURLToPath } from 'node:url';
import { readPublished } from './files.js';
import { sharedFrom } from './shared.js';
import { plainLabelling, type Examples, type RawDataset } from './types.js';

/** Chapters 1 to 9 of Moby-Dick, which come with the package (texts/README.md). */
const file = {
  name: 'moby-dick.txt',
  bytes: 102_129,
  sha256: '46bed7decaa17c545225a75af42c40fa6921c0e24acda2c765153afa36b55b7c',
};

/** Characters of an example. */
export const contextLength = 64;

/** The characters of the text, by their code points; a token is a place in it. */
export const characters: readonly string[] = [
  ...'\n !(),-.123456789:;?ABCDEFGHIJKLMNOPQRSTUVWYZabcdefghijklmnopqrstuvwxyz—‘’“”',
];

/** Examples of the validation set: the end of the text. */
const held = 120;

/**
 * The text as examples [N, 64] of characters, labelled with those that follow each [N, 64]: windows that do not overlap, the last 120 of them
 * the set `validation`. Throws DataError where the file is not the published one.
 */
export async function readMobyDick(): Promise<RawDataset> {
  const path = fileURLToPath(new URL(`../../texts/${file.name}`, import.meta.url));
  const bytes = await readPublished(path, file, 'install Lossledger again');
  const place = new Map(characters.map((character, token) => [character, token]));
  const tokens = Int32Array.from([...new TextDecoder().decode(bytes)], (character) => place.get(character)!);
  const windows = Math.floor((tokens.length - 1) / contextLength);
  return {
    name: 'moby-dick',
    classes: characters.length,
    pool: windowsOf(tokens, 0, windows - held),
    sets: { validation: windowsOf(tokens, windows - held, windows) },
    drawn: 0,
    files: [{ name: file.name, sha256: file.sha256 }],
    transform: { dtype: 'int32', divisor: 1, mean: [], std: [] },
    labelShape: [contextLength],
    labelling: plainLabelling,
    classGroups: { by: 'token', groups: characters.map(kindOf) },
    readings: [],
  };
}

function windowsOf(tokens: Int32Array, from: number, to: number): Examples {
  const span = (shift: number): Int32Array =>
    sharedFrom(tokens, tokens.subarray(from * contextLength + shift, to * contextLength + shift));
  return { count: to - from, shape: [contextLength], inputs: span(0), labels: span(1) };
}

function kindOf(character: string): string {
  if (character === '\n') return 'newline';
  if (character === ' ') return 'space';
  if (/\d/.test(character)) return 'digit';
  if (/[aeiou]/i.test(character)) return 'vowel';
  return /[a-z]/i.test(character) ? 'consonant' : 'punctuation';
}
