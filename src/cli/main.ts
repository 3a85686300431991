import { CommanderError } from 'commander';
import { harmless, isLossledgerError } from '../errors.js';
import { codeOf, storeFailure } from '../store/files.js';
import { sayWhatCompiles } from './compiling.js';
import { Interruption } from './interrupt.js';
import { makeProgram } from './program.js';

/** Exit status: 0 done, 1 failed or out of balance, 2 wrong use or bad input, 130 stopped by Ctrl-C. */
async function main(): Promise<number> {
  try {
    const program = await makeProgram(process.argv.slice(2));
    program.hook('preAction', (_, command) => {
      if (command.opts()['quiet'] !== true) sayWhatCompiles();
    });
    await program.parseAsync(process.argv);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return report(error);
  }
}

function report(error: unknown): number {
  // Whoever asked to stop was told how to go on.
  if (isAbort(error)) return error instanceof Interruption ? error.exitCode : 130;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (isLossledgerError(error)) {
    process.stderr.write(`lca: ${error.message}\n`);
    return error.exitCode;
  }
  if (codeOf(error) === 'EMFILE' || codeOf(error) === 'ENFILE')
    return report(storeFailure('open a file of the program', error));
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`lca: unexpected error; please report it with this text:\n${harmless(text)}\n`);
  return 1;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

// Whoever reads our output may stop early (`lca export … | head`); that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : report(storeFailure('write to standard output', error)));
});

process.exitCode = await main();
