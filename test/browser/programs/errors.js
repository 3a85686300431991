import { isLossledgerError, UsageError } from 'lossledger/errors';

const error = new UsageError({ given: 'a', expected: 'b', remedy: 'c' });

export default [
  error.message,
  error.tag,
  error.exitCode,
  isLossledgerError(error),
  isLossledgerError(new Error('a')),
];
