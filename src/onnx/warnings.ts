import type { OnnxFile } from './import/file.js';
import type { Node } from './protobuf/onnx_pb.js';
import { selecting } from './import/operators/selections.js';
import { isAnonymous } from './import/parameters/roles.js';
import { usesStoredStatistics } from './import/parameters/statistics.js';

/** What the author of a model may not have meant. `trained` are the names of its parameters, `weight` that of the output that weighs its loss. */
export function warningsOf(file: OnnxFile, trained: readonly string[], weight?: string): string[] {
  return [
    ...(trained.some(isAnonymous)
      ? ['some weights have lost their names: export with do_constant_folding=False to keep them']
      : []),
    ...statisticsWarnings(file),
    ...selectionWarnings(file),
    ...stepWarnings(file, trained),
    ...unmeasuredOutputs(file, weight),
  ];
}

function unmeasuredOutputs({ outputs }: OnnxFile, weight: string | undefined): string[] {
  const [first, ...others] = outputs.map(({ name }) => name);
  const unread = others.filter((name) => name !== weight);
  if (unread.length === 0) return [];
  return [`only the first output, ${first!}, is measured, and no loss of ${unread.join(', ')}`];
}

/** Whether a node chooses among numbers, which no gradient says anything about. */
function selects({ opType, attribute }: Node): boolean {
  const isNearest = attribute.some(({ name, s }) => name === 'mode' && s === 'nearest');
  return selecting.includes(opType) || (opType === 'GridSample' && isNearest);
}

function selectionWarnings({ nodes }: OnnxFile): string[] {
  const found = [...new Set(nodes.filter(selects).map(({ opType }) => opType))];
  if (found.length === 0) return [];
  return [
    `what ${found.join(' and ')} select${found.length === 1 ? 's' : ''} counts as constant: gradients go to the selected numbers, none to the choice`,
  ];
}

/** Functions that are constant but for their steps. */
const steps: readonly string[] = ['Round', 'Floor', 'Ceil', 'Sign'];

/** Steps of what is trained: networks that are quantised while they train pass a gradient straight through them, which the file does not say. */
function stepWarnings({ nodes }: OnnxFile, trained: readonly string[]): string[] {
  const dependent = new Set(trained);
  const found = new Set<string>();
  for (const { opType, input, output } of nodes) {
    if (['Shape', 'Size'].includes(opType) || !input.some((name) => dependent.has(name))) continue;
    if (steps.includes(opType)) found.add(opType);
    else for (const name of output) dependent.add(name);
  }
  if (found.size === 0) return [];
  const isOne = found.size === 1;
  return [
    `${[...found].join(' and ')} of what is trained ${isOne ? 'is a step' : 'are steps'}: no gradient goes through, even where training passed one straight through`,
  ];
}

function statisticsWarnings({ nodes, opset }: OnnxFile): string[] {
  if (!nodes.some((node) => usesStoredStatistics(node, opset))) return [];
  return [
    'batch normalisation uses stored statistics: export with training=TrainingMode.TRAINING for those of each chunk',
  ];
}
