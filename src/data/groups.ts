import { basename } from 'node:path';
import { isFloat, type NdArray } from '../formats/array.js';
import { npyHeaderSpan, npyPreambleBytes, parseNpyHeader, readNpy, readNpyText } from '../formats/npy.js';
import { memorySource, misfit } from '../formats/source.js';
import { readBytes, sha256 } from './files.js';
import type { SourceFile } from './types.js';

/** A group name for each of a list of examples, as a user's file gives them. */
export interface GroupsFile {
  /** [N] */
  readonly names: readonly string[];
  readonly file: SourceFile;
  /** Whether the first line of a text file may be a heading. */
  readonly mayHaveHeading: boolean;
}

/**
 * Reads group names [N]: an `.npy` file of integers, booleans or text, or a text file (`.csv`, `.txt`) with one name a line. Throws DataError
 * where it is neither, is damaged, or has an example without a name.
 */
export async function readGroups(path: string): Promise<GroupsFile> {
  const bytes = await readBytes(path, 'check the path');
  const file = { name: basename(path), sha256: sha256(bytes) };
  if (path.endsWith('.npy')) return { names: await npyNames(bytes, path), file, mayHaveHeading: false };
  const names = linesOf(new TextDecoder().decode(bytes));
  const empty = names.findIndex((name) => name === '' || name.includes(','));
  if (empty < 0) return { names, file, mayHaveHeading: true };
  throw misfit(
    path,
    `line ${empty + 1} is ${JSON.stringify(names[empty]!)}`,
    'one group name a line, without commas',
    'save one column alone',
  );
}

/** Lines without line ends and quotes around them; a last empty line is none. */
function linesOf(text: string): string[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => line.trim().replace(/^"(.*)"$/, '$1'));
}

async function npyNames(bytes: Uint8Array, path: string): Promise<string[]> {
  const source = memorySource(bytes, path);
  const { to, from } = npyHeaderSpan(bytes.subarray(0, npyPreambleBytes), path);
  const header = parseNpyHeader(new TextDecoder('latin1').decode(bytes.subarray(from, to)), path);
  const { shape, names } =
    header.dtype === null ? await textNames(source) : numberNames(await readNpy(source), path);
  if (shape.length !== 1) {
    throw misfit(
      path,
      `an array [${shape.join(', ')}]`,
      'group names [N], one for each example',
      'save one axis',
    );
  }
  return names;
}

async function textNames(source: Parameters<typeof readNpyText>[0]) {
  const { shape, texts } = await readNpyText(source);
  return { shape, names: texts };
}

function numberNames({ dtype, shape, data }: NdArray, path: string) {
  if (isFloat(dtype)) {
    throw misfit(
      path,
      `${dtype} as group names`,
      'integers, booleans or text',
      'save groups as integers or text',
    );
  }
  return { shape, names: Array.from(data as ArrayLike<number | bigint>, String) };
}
