import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { differentiate } from '../../src/autodiff/index.js';
import { generateModule } from '../../src/engines/native/emit/module.js';
import { numbersOf } from '../../src/engines/native/program.js';
import { lowerToSteps } from '../../src/engines/native/lower/index.js';
import type { Compiler } from '../../src/engines/native/toolchain/compiler.js';
import { compileChecked } from '../../src/engines/native/toolchain/compiler.js';
import { parameterCount } from '../../src/graph/types.js';
import type { Outcome } from './chunk-cases.js';
import type { ChunkProblem } from './chunk-problem.js';

/*
 * A shared library with the address sanitizer does not load into Node, so the generated C gets a main function here, which
 * reads what Node would pass from one file and writes loss and gradient to another. Every array is an allocation of its own
 * of just the right size.
 */
function driver(feeds: readonly number[], constants: number, parameters: number): string {
  const names = feeds.map((_, index) => `feed${index}`);
  return `
#include <stdio.h>
static void *take(FILE *file, size_t bytes) {
  char *data = malloc(bytes);
  if (fread(data, 1, bytes, file) != bytes) abort();
  return data;
}
int main(int count, char **names) {
  FILE *in = fopen(names[1], "rb");
  double *theta = take(in, ${8 * parameters}), *constants = take(in, ${8 * constants});
  ${feeds.map((bytes, index) => `void *feed${index} = take(in, ${bytes});`).join('\n  ')}
  double *gradient = calloc(${parameters}, 8);
  char *memory = lossledger_create();
  lossledger_load(memory, theta, constants);
  double loss = lossledger_run(memory, 0, ${names.join(', ')});
  double again = lossledger_run(memory, gradient, ${names.join(', ')});
  if (loss != again && !(isnan(loss) && isnan(again))) abort();
  lossledger_destroy(memory);
  FILE *out = fopen(names[2], "wb");
  fwrite(&loss, 8, 1, out);
  fwrite(gradient, 8, ${parameters}, out);
  fclose(out);
  fclose(in);
  free(theta); free(constants); free(gradient);
  ${names.map((name) => `free(${name});`).join(' ')}
  return 0;
}
`;
}

const bytesOf = (array: ArrayBufferView): Buffer =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength);

/** Whether the compiler can build, and this machine run, programs that check themselves; else why not. */
export async function sanitizerObstacle(compiler: Compiler): Promise<string | null> {
  try {
    const source = 'int main(void) { return 0; }';
    await inFolder((folder) => buildAndRun(compiler, source, folder, []));
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What the sanitizers say on standard error ends up in the message of the error. */
async function buildAndRun(
  compiler: Compiler,
  source: string,
  folder: string,
  args: readonly string[],
): Promise<void> {
  const program = join(folder, 'program');
  writeFileSync(`${program}.c`, source);
  await compileChecked(compiler, `${program}.c`, program);
  const { status, signal, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the checked program ended with ${status ?? signal}:\n${stderr}`);
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'lossledger-checked-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Loss and gradient by the generated C with address and undefined-behaviour sanitizers, which end it at a fault. */
export async function evaluateChecked(
  compiler: Compiler,
  { graph: forward, theta, feeds }: Pick<ChunkProblem, 'graph' | 'theta' | 'feeds'>,
  change: (source: string) => string = (source) => source,
): Promise<Outcome> {
  const graph = differentiate(forward);
  const lowered = lowerToSteps(graph, compiler.target);
  const { source } = generateModule(lowered, compiler.target, false, true);
  const constants = numbersOf(lowered.constants);
  const inputs = graph.inputs.map(({ name }) => bytesOf(feeds[name]!));
  const size = parameterCount(graph.parameters);
  const main = driver(
    inputs.map((input) => input.length),
    constants.length,
    size,
  );
  return inFolder(async (folder) => {
    const [input, output] = [join(folder, 'input'), join(folder, 'output')];
    writeFileSync(input, Buffer.concat([bytesOf(theta), bytesOf(constants), ...inputs]));
    await buildAndRun(compiler, change(source) + main, folder, [input, output]);
    const result = new Float64Array(new Uint8Array(readFileSync(output)).buffer);
    return { loss: result[0]!, gradient: result.subarray(1) };
  });
}
