import type { OnnxFile } from './import/file.js';
import { isAnonymous } from './import/parameters/roles.js';

/** What the author of a model may not have meant. `trained` are the names of its parameters. */
export function warningsOf(file: OnnxFile, trained: Iterable<string>): string[] {
  return [
    ...([...trained].some(isAnonymous)
      ? ['some weights have lost their names: export with do_constant_folding=False to keep them']
      : []),
    ...statisticsWarnings(file),
    ...(file.outputs.length > 1 ? [`only the first of ${file.outputs.length} outputs is measured`] : []),
  ];
}

function statisticsWarnings({ nodes }: OnnxFile): string[] {
  const stored = nodes.some(({ opType, output }) => opType === 'BatchNormalization' && output.length === 1);
  if (!stored) return [];
  return [
    'batch normalisation uses stored statistics: export with training=TrainingMode.TRAINING for those of each chunk',
  ];
}
