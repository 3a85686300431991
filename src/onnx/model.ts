import { GraphError } from '../errors.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { DType, Shape, Value } from '../graph/types.js';
import { GraphBuilder as Builder } from '../graph/builder.js';
import type { ValueInfo } from './protobuf/onnx_pb.js';
import { dataTypeName } from './protobuf/dtypes.js';
import type { ExternalData } from './protobuf/tensor.js';
import { graphDType, readTensor } from './protobuf/tensor.js';
import type { StaticTensor } from './import/static-tensor.js';
import { FixedBatch } from './import/batch.js';
import type { ImportState } from './import/context.js';
import { isStatic, type Operand } from './import/static-tensor.js';
import { malformed, type OnnxFile } from './import/file.js';
import type { Evidence } from './import/parameters/evidence.js';
import { trainedInitializers, type Trained } from './import/parameters/trained.js';
import { translate } from './import/translate.js';
import { warningsOf } from './warnings.js';

/** What is known of a model beside its file. */
export interface ReadOptions {
  /** Bytes of a file beside the model, for tensors that are stored there. */
  readonly externalData?: ExternalData;
  /** Shape of one example of the data: what open extents of the input stand for. */
  readonly exampleShape?: Shape;
  /** What is known of the parameters: the file does not tell them from other tensors of a network. */
  readonly evidence?: Evidence;
  /** Whether an initialiser is trained; `guess` is what its readers and the evidence suggest. Default: the guess. */
  readonly trained?: (name: string, guess: boolean) => boolean;
}

/** A network that was read from an ONNX file. Its parameters keep the file's names and order. */
export interface OnnxModel {
  readonly name: string;
  /** Shape of one example, such as [1, 28, 28]. */
  readonly inputShape: Shape;
  /** What the network reads: float32, or whole numbers such as tokens. */
  readonly inputDType: DType;
  /** Extents of the first output for one example, such as [10]. */
  readonly outputShape: Shape;
  /** Names of the initialisers that are not parameters, such as masks and running statistics. */
  readonly otherTensors: ReadonlySet<string>;
  /** What the author of the model may not have meant. */
  readonly warnings: readonly string[];
  /** Adds the network to a graph; `x` is [examples, …inputShape] of `inputDType`. Returns [examples, …outputShape]. */
  addTo(builder: GraphBuilder, x: Value): Value;
}

/** A file that has been decoded and checked, its parameters as they were declared, and the options to read it with; files beside it are asked for once. */
export interface OpenedModel {
  readonly file: OnnxFile;
  /** Whether parameters that the exporter folded or merged were restored, at places that may not be those declared. */
  readonly isRestored: boolean;
  readonly options: ReadOptions;
}

/** The network of an opened file. Throws GraphError where it uses what is not supported. */
export function modelOf({ file, options }: OpenedModel): OnnxModel {
  return new ImportedModel(file, options);
}

class ImportedModel implements OnnxModel {
  readonly name: string;
  readonly inputShape: Shape;
  readonly inputDType: DType;
  readonly outputShape: Shape;
  readonly otherTensors: ReadonlySet<string>;
  readonly warnings: readonly string[];
  readonly #exportedExamples: number | null;
  #exportedTensors: ReadonlyMap<string, Operand> | undefined;
  readonly #trained: ReadonlyMap<string, Trained>;
  readonly #tensors: ReadonlyMap<string, StaticTensor>;

  constructor(
    readonly file: OnnxFile,
    readonly options: ReadOptions,
  ) {
    this.name = file.name || 'model';
    const [examples, ...rest] = inputShapeOf(file, options.exampleShape);
    this.#exportedExamples = examples!;
    this.inputShape = rest.map((extent) => extent!);
    this.inputDType = dtypeOf(file.inputs[0]!);
    this.#trained = trainedInitializers(file, options);
    this.#tensors = new Map(
      [...file.initializers].map(([name, tensor]) => [name, readTensor(tensor, options.externalData)]),
    );
    this.otherTensors = new Set([...file.initializers.keys()].filter((name) => !this.#trained.has(name)));
    this.warnings = warningsOf(file, this.#trained.keys());
    this.outputShape = this.#trial();
  }

  addTo(builder: GraphBuilder, x: Value): Value {
    const batch = this.#batchFor(x.shape[0]!);
    try {
      return this.#logits(builder, this.#operands(builder, x, batch), x.shape[0]!);
    } catch (cause) {
      throw batch !== null && cause instanceof GraphError ? batch.misfit(cause) : cause;
    }
  }

  /** All tensors of the model by name. */
  #operands(builder: GraphBuilder, x: Value, batch: FixedBatch | null): Map<string, Operand> {
    const operands = new Map<string, Operand>([[this.file.inputs[0]!.name, x]]);
    for (const [name, tensor] of this.#tensors) operands.set(name, this.#initializer(builder, name, tensor));
    const state: ImportState = {
      builder,
      opset: this.file.opset,
      examples: x.shape[0]!,
      exportedExamples: this.#exportedExamples,
      batch,
      externalData: this.options.externalData,
      producers: new Map(this.file.nodes.flatMap((node) => node.output.map((name) => [name, node]))),
      computed: 0,
    };
    for (const node of this.file.nodes) translate(node, operands, state);
    return operands;
  }

  /** What another number of examples than the exported one needs; null where the file leaves it open. */
  #batchFor(examples: number): FixedBatch | null {
    const exported = this.#exportedExamples;
    if (exported === null || exported === examples) return null;
    if (this.#exportedTensors === undefined) {
      const builder = new Builder(this.name);
      const x = builder.input('x', this.inputDType, [exported, ...this.inputShape]);
      this.#exportedTensors = this.#operands(builder, x, null);
    }
    return new FixedBatch(this.#exportedTensors, exported, examples);
  }

  /** A weight as a parameter, anything else as known numbers. */
  #initializer(builder: GraphBuilder, name: string, tensor: StaticTensor): Operand {
    const role = this.#trained.get(name);
    if (role === undefined) return tensor;
    const data = Float32Array.from(tensor.data);
    return builder.parameter(name, tensor.shape, {
      layer: role.layer,
      neuronAxis: role.neuronAxis,
      initializer: { kind: 'values', data },
    });
  }

  #logits(builder: GraphBuilder, operands: ReadonlyMap<string, Operand>, examples: number): Value {
    const name = this.file.outputs[0]?.name ?? '';
    const output = operands.get(name);
    if (output === undefined || isStatic(output)) {
      throw malformed(
        `output ${name} that does not depend on the input`,
        'a network',
        'export the model again',
      );
    }
    const { shape } = output;
    if (shape.length === 1 && shape[0] === examples)
      return builder.apply('Reshape', [output], { shape: [examples, 1] });
    if (shape.length >= 2 && shape[0] === examples) return output;
    throw malformed(
      `output ${name} of shape [${shape.join(', ')}] for ${examples} examples`,
      'numbers for each example, [examples, …]',
      'export the logits of each example, with a symbolic batch axis',
    );
  }

  /** The output's extents, from a network for two chunk sizes: what fits both fits all. */
  #trial(): Shape {
    const shapes = [2, 3].map((examples) => {
      const builder = new Builder(this.name);
      const x = builder.input('x', this.inputDType, [examples, ...this.inputShape]);
      return this.addTo(builder, x).shape.slice(1);
    });
    return shapes[0]!;
  }
}

/** Extents of the only input; null where axis 0 is symbolic. */
function inputShapeOf(file: OnnxFile, example?: Shape): (number | null)[] {
  if (file.inputs.length !== 1) {
    const names = file.inputs.map((input) => input.name).join(', ');
    throw malformed(
      `${file.inputs.length} inputs (${names})`,
      'one input',
      'export the network with one input',
    );
  }
  const dims = file.inputs[0]!.type?.tensorType?.shape?.dim ?? [];
  const extents = dims.map(({ value }) => (value.case === 'dimValue' ? Number(value.value) : null));
  const given = example?.length === extents.length - 1 ? example : [];
  const fixed = extents.slice(1).map((extent, axis) => extent ?? given[axis] ?? null);
  if (extents.length > 0 && fixed.every((extent) => extent !== null && extent > 0))
    return [extents[0]!, ...fixed];
  throw malformed(
    `input ${file.inputs[0]!.name} of shape [${extents.map((extent) => extent ?? '?').join(', ')}]`,
    'a batch axis, and fixed extents after it',
    'give data whose examples have as many axes, or export the model with only its batch axis symbolic',
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
