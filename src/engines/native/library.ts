import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';
import { EngineError } from '../../errors.js';

/** A pointer to the memory that a program works in. */
export type Arena = object | bigint;

/** The functions of a compiled graph. */
export interface Library {
  create(): Arena | null;
  destroy(arena: Arena): void;
  load(arena: Arena, theta: Float64Array, constants: Float64Array): void;
  readonly run: (arena: Arena, gradient: Float64Array | null, ...feeds: ArrayBufferView[]) => number;
  /** Runs again what the varied feed changes; null where there is none. */
  readonly again: Library['run'] | null;
}

const require = createRequire(import.meta.url);

/** Loads koffi, which calls compiled code, on first use: the other engines work without it. Throws EngineError where it is missing. */
export function loadKoffi(): typeof Koffi {
  try {
    return require('koffi') as typeof Koffi;
  } catch (cause) {
    throw new EngineError(
      {
        given: `the npm package koffi, which calls compiled code, cannot be loaded on ${process.platform} ${process.arch}`,
        expected: 'koffi with a binary for this platform',
        remedy: 'add it with `npm install koffi`, or use another engine',
      },
      { cause },
    );
  }
}

/** Loads a shared library that was compiled here, and declares its functions. Throws EngineError where it cannot be loaded. */
export function openShared<F>(path: string, declare: (library: Koffi.LibraryHandle) => F): F {
  const koffi = loadKoffi();
  try {
    return declare(koffi.load(path));
  } catch (error) {
    throw new EngineError(
      {
        given: `${path}, which does not load: ${error instanceof Error ? error.message : String(error)}`,
        expected: 'a shared library for this machine',
        remedy: 'remove the file, or use `--engine onnxruntime`',
      },
      { cause: error },
    );
  }
}

/** Loads a library that was generated for a graph with `feeds` inputs, which is run again or not. Throws EngineError where it cannot be loaded. */
export function loadLibrary(path: string, feeds: number, runsAgain = false): Library {
  const inputs = ', const void *'.repeat(feeds);
  return openShared(path, (library) => ({
    create: library.func('void *lossledger_create()'),
    destroy: library.func('void lossledger_destroy(void *)'),
    load: library.func('void lossledger_load(void *, const double *, const double *)'),
    run: library.func(`double lossledger_run(void *, double *${inputs})`),
    again: runsAgain ? library.func(`double lossledger_again(void *, double *${inputs})`) : null,
  }));
}
