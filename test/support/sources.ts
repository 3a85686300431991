import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

/** The folder of the production code. */
export const sourceFolder = resolve(import.meta.dirname, '../../src');

/** Production files below `src`, as paths relative to it. */
export function sourceFiles(): string[] {
  return readdirSync(sourceFolder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .sort();
}

export function absolute(file: string): string {
  return join(sourceFolder, file);
}

export function textOf(file: string): string {
  return readFileSync(absolute(file), 'utf8');
}

/** Path relative to `src`. */
export function inSource(path: string): string {
  return relative(sourceFolder, path);
}

/** Written by a generator: exempt from limits of size and from the style of comments. */
export const generated: readonly string[] = ['onnx/protobuf/onnx_pb.ts'];
