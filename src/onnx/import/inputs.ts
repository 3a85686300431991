import type { DType, Shape } from '../../graph/types.js';
import { dataTypeName } from '../protobuf/dtypes.js';
import type { ValueInfo } from '../protobuf/onnx_pb.js';
import { graphDType } from '../protobuf/tensor.js';
import { malformed, type OnnxFile } from './file.js';

/** What a network reads. */
export interface OnnxInput {
  readonly name: string;
  /** Shape of one example, such as [1, 28, 28]. */
  readonly shape: Shape;
  /** float32, or whole numbers such as tokens. */
  readonly dtype: DType;
}

/** Shape of one example of the only input, or of each by its name. */
export type ExampleShapes = Shape | Readonly<Record<string, Shape>>;

/** The inputs, and how many examples they were exported for; null where that is left open. Throws GraphError. */
export function inputsOf(
  { inputs }: OnnxFile,
  given: ExampleShapes = [],
): { exported: number | null; inputs: OnnxInput[] } {
  if (inputs.length === 0) throw malformed('no input', 'at least one', 'export the network with its inputs');
  const shapes: Readonly<Record<string, Shape>> = isShape(given) ? { [inputs[0]!.name]: given } : given;
  const read = inputs.map((input) => {
    const [exported, ...shape] = inputShapeOf(input, shapes[input.name]);
    return {
      exported: exported!,
      input: { name: input.name, shape: shape as number[], dtype: dtypeOf(input) },
    };
  });
  const fixed = [...new Set(read.flatMap(({ exported }) => exported ?? []))];
  if (fixed.length <= 1) return { exported: fixed[0] ?? null, inputs: read.map(({ input }) => input) };
  throw malformed(
    `inputs of ${fixed.join(' and ')} examples`,
    'the same number of examples in all inputs',
    'export it with a symbolic batch axis (dynamic_axes) as axis 0 of each input',
  );
}

const isShape = (given: ExampleShapes): given is Shape => Array.isArray(given);

/** Extents of an input; null where axis 0 is symbolic. */
function inputShapeOf(input: ValueInfo, example?: Shape): (number | null)[] {
  const dims = input.type?.tensorType?.shape?.dim ?? [];
  const extents = dims.map(({ value }) => (value.case === 'dimValue' ? Number(value.value) : null));
  const given = example?.length === extents.length - 1 ? example : [];
  requireExamplesFirst(input, extents);
  const fixed = extents.slice(1).map((extent, axis) => extent ?? given[axis] ?? null);
  if (extents.length > 0 && fixed.every((extent) => extent !== null && extent > 0))
    return [extents[0]!, ...fixed];
  throw malformed(
    `input ${input.name} of shape [${extents.map((extent) => extent ?? '?').join(', ')}]`,
    'a batch axis, and fixed extents after it',
    'give data whose examples have as many axes, or export the model with only its batch axis symbolic',
  );
}

/** Names by which exporters call the axis of the examples. */
const batchName = /^(batch(_?size)?|n)$/i;

/** Throws GraphError where a later axis than the first, which is fixed, is called the batch's, as in recurrent networks without batch_first. */
function requireExamplesFirst({ name, type }: ValueInfo, extents: readonly (number | null)[]): void {
  const dims = type?.tensorType?.shape?.dim ?? [];
  const axis = dims.findIndex(({ value }) => value.case === 'dimParam' && batchName.test(value.value));
  if (axis < 1 || extents[0] === null) return;
  throw malformed(
    `input ${name} of shape [${dims.map(({ value }) => String(value.value ?? '?')).join(', ')}], with its examples along axis ${axis}`,
    'examples along axis 0',
    `export a network that takes them so and begins with x.transpose(0, ${axis}), or batch_first=True; data are [N, …] then, too`,
  );
}

function dtypeOf(input: ValueInfo): DType {
  const code = input.type?.tensorType?.elemType ?? 0;
  const dtype = dataTypeName(code);
  if (dtype !== undefined) return graphDType(dtype);
  throw malformed(
    `input ${input.name} of element type ${code}`,
    'numbers',
    'export the model with a tensor of numbers as input',
  );
}
