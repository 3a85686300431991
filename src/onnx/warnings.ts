import type { OnnxFile } from './import/file.js';
import type { Node } from './protobuf/onnx_pb.js';
import { selecting } from './import/operators/selections.js';
import { isAnonymous } from './import/parameters/roles.js';

/** What the author of a model may not have meant. `trained` are the names of its parameters, `weight` that of the output that weighs its loss. */
export function warningsOf(file: OnnxFile, trained: Iterable<string>, weight?: string): string[] {
  return [
    ...([...trained].some(isAnonymous)
      ? ['some weights have lost their names: export with do_constant_folding=False to keep them']
      : []),
    ...statisticsWarnings(file),
    ...selectionWarnings(file),
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

function statisticsWarnings({ nodes }: OnnxFile): string[] {
  const stored = nodes.some(({ opType, output }) => opType === 'BatchNormalization' && output.length === 1);
  if (!stored) return [];
  return [
    'batch normalisation uses stored statistics: export with training=TrainingMode.TRAINING for those of each chunk',
  ];
}
