import { basename } from 'node:path';
import { isFloat, type NdArray } from '../formats/array.js';
import { npyHeaderSpan, npyPreambleBytes, parseNpyHeader, readNpy, readNpyText } from '../formats/npy.js';
import { memorySource, misfit } from '../formats/source.js';
import { readBytes, sha256 } from './files.js';
import type { SourceFile } from './types.js';

/** A group name for each of a list of examples, of their labels, or of classes, as a user's file gives them. */
export interface GroupsFile {
  /** Rows of the file, in row-major order. */
  readonly names: readonly string[];
  /** Names of a row. */
  readonly width: number;
  readonly file: SourceFile;
  /** Whether the first line of a text file may be a heading. */
  readonly mayHaveHeading: boolean;
}

/**
 * Reads group names [N] or [N, …]: an `.npy` file of integers, booleans or text, or a text file (`.csv`, `.txt`) with one name a line, or as many
 * in each, apart by commas. Throws DataError where it is neither, is damaged, or leaves a name out.
 */
export async function readGroups(path: string): Promise<GroupsFile> {
  const bytes = await readBytes(path, 'check the path');
  const file = { name: basename(path), sha256: sha256(bytes) };
  if (path.endsWith('.npy')) return { ...(await npyNames(bytes, path)), file, mayHaveHeading: false };
  const lines = linesOf(textOf(bytes, path), path);
  const width = lines[0]?.length ?? 1;
  const odd = lines.findIndex((names) => names.length !== width || names.includes(''));
  if (odd < 0) return { names: lines.flat(), width, file, mayHaveHeading: true };
  throw misfit(
    path,
    `line ${odd + 1} is ${JSON.stringify(lines[odd]!.join(','))}`,
    `${width} group name${width === 1 ? '' : 's'} a line, as in the first`,
    'save one name for each example, or for each of its labels',
  );
}

/** The file's text. Throws where it is not in UTF-8: names that differ in what cannot be decoded would become one. */
function textOf(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const before = new TextDecoder().decode(bytes).split('\ufffd', 1)[0]!;
    // Marks that Windows puts before text of 16 bits a letter.
    const is16 = ['255,254', '254,255'].includes(bytes.subarray(0, 2).join());
    throw misfit(
      path,
      `bytes that are not UTF-8 in line ${before.split('\n').length}, as in a file in ${is16 ? 'UTF-16' : 'Latin-1 or Windows-1252'}`,
      'text in UTF-8',
      `save it in UTF-8, or convert it (iconv -f ${is16 ? 'UTF-16' : 'WINDOWS-1252'} -t UTF-8)`,
    );
  }
}

/** The names of each line, without quotes around them, in which commas are part of a name; a last empty line is none. */
function linesOf(text: string, path: string): string[][] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  if (lines.at(-1) === '') lines.pop();
  for (const [other, name] of [
    [';', 'semicolons'],
    ['\t', 'tabs'],
  ] as const) {
    const widths = new Set(lines.map((line) => fieldsOf(line, other).length));
    // As spreadsheets save columns where the comma is that of decimals.
    if (widths.size !== 1 || widths.has(1)) continue;
    throw misfit(
      path,
      `line 1, ${JSON.stringify(lines[0])}, with ${name}, as every line`,
      'group names apart by commas, and no other columns',
      'save the column of the groups alone; a name that contains such signs stands in quotes',
    );
  }
  return lines.map((line) => fieldsOf(line, ','));
}

/** What stands between separators outside of quotes; two quotes inside of some are one. */
function fieldsOf(line: string, separator: string): string[] {
  if (!line.includes('"')) return line.split(separator).map((field) => field.trim());
  const fields: string[] = [];
  let from = 0;
  for (let at = 0, isQuoted = false; at <= line.length; at++) {
    if (line[at] === '"') isQuoted = !isQuoted;
    if (at < line.length && (isQuoted || line[at] !== separator)) continue;
    const field = line.slice(from, at).trim();
    fields.push(/^".*"$/.test(field) ? field.slice(1, -1).replaceAll('""', '"') : field);
    from = at + 1;
  }
  return fields;
}

async function npyNames(bytes: Uint8Array, path: string): Promise<Pick<GroupsFile, 'names' | 'width'>> {
  const source = memorySource(bytes, path);
  const { to, from } = npyHeaderSpan(bytes.subarray(0, npyPreambleBytes), path);
  const header = parseNpyHeader(new TextDecoder('latin1').decode(bytes.subarray(from, to)), path);
  const { shape, names } =
    header.dtype === null ? await textNames(source) : numberNames(await readNpy(source), path);
  if (shape.length > 0) return { names, width: shape.slice(1).reduce((all, extent) => all * extent, 1) };
  throw misfit(path, 'a single number', 'group names [N], one for each example', 'save an array');
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
