#!/usr/bin/env node
import { CommanderError } from 'commander';
import { isLossledgerError } from '../errors.js';
import { makeProgram } from './program.js';

/** Exit status: 0 done, 1 failed, 2 wrong use or bad input. */
async function main(): Promise<number> {
  try {
    await makeProgram().parseAsync(process.argv);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return report(error);
  }
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (isLossledgerError(error)) {
    process.stderr.write(`lca: ${error.message}\n`);
    return error.exitCode;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`lca: unexpected error; please report it with this text:\n${text}\n`);
  return 1;
}

process.exitCode = await main();
