import * as z from 'zod';
import { isPlainText } from '../../errors.js';

const text = z.string().refine(isPlainText, 'text of one line without control characters');

/** What decides the bits of a result beside the manifest: workers of one plan agree on it. */
export const environmentSchema = z.strictObject({
  lossledger: text,
  /** Version of V8, whose functions compute what no engine does. */
  javascript: text,
  /** Its version has compiler and target. */
  engine: z.strictObject({ name: text, version: text }),
  /** Of the C library, which has functions such as log; null where the system does not tell. */
  library: text.nullable(),
  /** Architecture and instruction sets of the processor, by which engines choose their kernels. */
  processor: z.array(text),
});

/** What decides the bits of a result beside the manifest. */
export type Environment = z.infer<typeof environmentSchema>;

/** What differs between two environments, in words; none: they give the same bits. */
export function differences(given: Environment, expected: Environment): string[] {
  const facts = ({ lossledger, javascript, engine, library, processor }: Environment) => ({
    Lossledger: lossledger,
    V8: javascript,
    engine: `${engine.name} ${engine.version}`,
    'C library': library ?? 'unknown',
    processor: processor.join(' '),
  });
  const [own, planned] = [facts(given), facts(expected)];
  return Object.entries(own).flatMap(([name, value]) => {
    const other = planned[name as keyof typeof planned];
    return value === other ? [] : [`${name} ${value} instead of ${other}`];
  });
}
