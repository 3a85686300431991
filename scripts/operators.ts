import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { gradientRules } from '../src/autodiff/rules/index.js';
import { lowerings } from '../src/engines/onnxruntime/lowering/index.js';
import { operators as native } from '../src/engines/native/lower/operators/index.js';
import { kernels } from '../src/engines/reference/kernels/index.js';
import { operators } from '../src/graph/operators/index.js';
import { foldable } from '../src/onnx/import/fold.js';
import { translations } from '../src/onnx/import/operators/translations.js';
import { controlFlow } from '../src/onnx/import/translate.js';
import { standardOperators } from '../src/onnx/standard/index.js';

const document = join(resolve(import.meta.dirname, '..'), 'docs/OPERATORS.md');
const [begin, end] = ['<!-- from the registries: npm run operators -->', '<!-- end -->'];

const yes = (has: boolean): string => (has ? 'yes' : '');

/** What knows each operator of a graph, one row each. */
function table(): string {
  const head = ['operator', 'gradient', 'reference', 'onnxruntime', 'native', 'read from ONNX', 'written'];
  const rows = [...operators.keys()].map((op) => [
    op,
    ...[gradientRules, kernels, lowerings, native, translations, standardOperators].map((registry) =>
      yes(registry.has(op)),
    ),
  ]);
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** The operators of ONNX files that are none of a graph's. */
function others(): string {
  const written = [...translations.keys(), ...controlFlow].filter((op) => !operators.has(op)).sort();
  const known = [...foldable].filter((op) => !operators.has(op) && !translations.has(op)).sort();
  return [
    `Read from ONNX as others, or as numbers that are known then: ${written.join(', ')}.`,
    ...(known.length === 0
      ? []
      : [`Only where their inputs are known when a model is read: ${known.join(', ')}.`]),
  ].join('\n\n');
}

/** docs/OPERATORS.md as the registries have it, from the file as it is. */
export async function operatorsDocument(text = readFileSync(document, 'utf8')): Promise<string> {
  const [before, rest] = text.split(begin) as [string, string];
  const after = rest.slice(rest.indexOf(end) + end.length);
  const made = `${before}${begin}\n\n${table()}\n\n${others()}\n\n${end}${after}`;
  return format(made, { ...(await resolveConfig(document)), filepath: document });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(document, await operatorsDocument());
