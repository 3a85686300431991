import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { lca } from './command.js';

/*
 * npm run bench:wide -- --workers 1,16,64 --chunk-ms 5
 *
 * A machine of many cores on one of few: `lca measure` with so many workers, whose compiled network only waits as long as a chunk is said to take. So
 * as many chunks are under way at once as there are workers, whatever cores there are, and what is left of the time is ours: threads, messages, and
 * the main thread, which adds up and writes.
 */
const { values } = parseArgs({
  options: {
    preset: { type: 'string', default: 'mnist-fc-sgd' },
    iterations: { type: 'string', default: '40' },
    workers: { type: 'string', default: '1,16,64' },
    'chunk-ms': { type: 'string', default: '5' },
  },
});
const waits = values['chunk-ms'].split(',').map(Number);
const parent = mkdtempSync(join(tmpdir(), 'lossledger-'));

/** A library as the native engine calls it. */
const library = `
#include <time.h>
#define EXPORT __attribute__((visibility("default")))
static char memory;
EXPORT void *lossledger_create(void) { return &memory; }
EXPORT void lossledger_destroy(void *m) {}
EXPORT void lossledger_load(void *m, const double *t, const double *c) {}
EXPORT double lossledger_run(void *m, double *gradient) {
  struct timespec time = { NANOSECONDS / 1000000000, NANOSECONDS % 1000000000 };
  nanosleep(&time, 0);
  return 1;
}
`;

/** Settings of a machine whose compiler makes of every network a library that waits; it says of itself what the real one says. */
function waiting(milliseconds: number): NodeJS.ProcessEnv {
  const folder = mkdtempSync(join(parent, 'compiler-'));
  const [code, compiler] = [join(folder, 'library.c'), join(folder, 'compiler')];
  writeFileSync(code, library);
  const script = `#!/bin/sh
case "$*" in *-dM*) exec cc "$@";; esac
while [ "$1" != -o ]; do shift; done
exec cc -O2 -shared -fPIC -DNANOSECONDS=${Math.round(1e6 * milliseconds)}L -o "$2" ${code}
`;
  writeFileSync(compiler, script, { mode: 0o755 });
  return { CC: compiler, XDG_CACHE_HOME: folder };
}

/** Chunks of an evaluation. */
function chunksOf(run: string): number {
  const manifest = JSON.parse(readFileSync(join(run, 'manifest.json'), 'utf8')) as {
    readonly definition: { readonly chunk: number };
    readonly objectives: readonly { readonly parts: readonly { readonly examples: number }[] }[];
  };
  const { chunk } = manifest.definition;
  return manifest.objectives.reduce((sum, { parts }) => sum + Math.ceil(parts[0]!.examples / chunk), 0);
}

try {
  const trained = join(parent, 'trained');
  await lca(['train', values.preset, '--iterations', values.iterations, '--out', trained]);
  const segments = Number(values.iterations) - 1;
  // Simpson's rule: middle and end of each segment, and the start of the first.
  const waited = chunksOf(trained) * (2 * segments + 1);
  for (const milliseconds of waits) {
    const env = waiting(milliseconds);
    for (const workers of values.workers.split(',')) {
      const run = join(parent, `${milliseconds}-${workers}`);
      cpSync(trained, run, { recursive: true });
      // One segment is left, so that nothing is reported.
      const took = await lca(['measure', run, '--segments', `0:${segments}`, '--workers', workers], env);
      const ideal = (waited * milliseconds) / 1e3 / Number(workers);
      const numbers = [
        `${((1e3 * took.measuring) / segments).toFixed(1)} ms a segment by the clock`,
        `workers idle ${(100 * (1 - ideal / took.measuring)).toFixed(0)} %`,
        `processors ${((1e3 * took.busy) / segments).toFixed(1)} ms a segment, start among it`,
        `ready after ${took.first.toFixed(1)} s`,
        `${took.memory.toFixed(0)} MiB`,
      ];
      process.stdout.write(
        `${milliseconds} ms a chunk, ${workers.padStart(2)} workers: ${numbers.join(', ')}\n`,
      );
    }
  }
} finally {
  rmSync(parent, { recursive: true, force: true });
}
