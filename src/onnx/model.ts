import { GraphError } from '../errors.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { DType, Shape, Value } from '../graph/types.js';
import { GraphBuilder as Builder } from '../graph/builder.js';
import { sizeOf } from '../graph/types.js';
import type { ExternalData } from './protobuf/tensor.js';
import { readTensor } from './protobuf/tensor.js';
import type { StaticTensor } from './import/static-tensor.js';
import { FixedBatch } from './import/batch.js';
import type { ImportState } from './import/context.js';
import { isStatic, type Operand } from './import/static-tensor.js';
import { malformed, type OnnxFile } from './import/file.js';
import { inputsOf, type ExampleShapes, type OnnxInput } from './import/inputs.js';
import type { Evidence } from './import/parameters/evidence.js';
import { refuseScaledCopies } from './import/parameters/scaled.js';
import { trainedInitializers, type Trained } from './import/parameters/trained.js';
import { translate } from './import/translate.js';
import { warningsOf } from './warnings.js';

/** What is known of a model beside its file. */
export interface ReadOptions {
  /** Bytes of a file beside the model, for tensors that are stored there. */
  readonly externalData?: ExternalData;
  /** Shape of one example of the data, or of several inputs by their names: what open extents of the inputs stand for. */
  readonly exampleShape?: ExampleShapes;
  /**
   * Whether the first output is a loss, not numbers to compare with labels: of each example [N] or, where another output `weight` says how
   * much they count, of any shape, also a sum over the chunk. Default false.
   */
  readonly computesLoss?: boolean;
  /** What is known of the parameters: the file does not tell them from other tensors of a network. */
  readonly evidence?: Evidence;
  /** Whether an initialiser is trained; `guess` is what its readers and the evidence suggest. Default: the guess. */
  readonly trained?: (name: string, guess: boolean) => boolean;
}

/** A network that was read from an ONNX file. Its parameters keep the file's names and order. */
export interface OnnxModel {
  readonly name: string;
  /** In the order of the file. */
  readonly inputs: readonly OnnxInput[];
  /** Shape of one example of the first input, such as [1, 28, 28]. */
  readonly inputShape: Shape;
  /** Element type of the first input. */
  readonly inputDType: DType;
  /** Extents of the first output for one example, such as [10]. Of a loss that is one number an example [1], of a sum over the chunk []. */
  readonly outputShape: Shape;
  /** Names of the initialisers that are not parameters, such as masks and running statistics. */
  readonly otherTensors: ReadonlySet<string>;
  /** What the author of the model may not have meant. */
  readonly warnings: readonly string[];
  /** Adds the network to a graph; each input is [examples, …shape] of its type. Returns [examples, …outputShape]. */
  addTo(builder: GraphBuilder, ...inputs: readonly Value[]): Value;
  /** The same; returns the loss and, where the file has it, the output `weight`. */
  addLossTo(builder: GraphBuilder, inputs: readonly Value[]): readonly Value[];
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
  readonly inputs: readonly OnnxInput[];
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
    const { exported, inputs } = inputsOf(file, options.exampleShape);
    this.#exportedExamples = exported;
    this.inputs = inputs;
    this.inputShape = inputs[0]!.shape;
    this.inputDType = inputs[0]!.dtype;
    refuseScaledCopies(file, options.externalData);
    this.#trained = trainedInitializers(file, options);
    this.#tensors = new Map(
      [...file.initializers].map(([name, tensor]) => [name, readTensor(tensor, options.externalData)]),
    );
    this.otherTensors = new Set([...file.initializers.keys()].filter((name) => !this.#trained.has(name)));
    this.warnings = warningsOf(
      file,
      [...this.#trained.keys()],
      options.computesLoss ? lossWeight : undefined,
    );
    this.outputShape = this.#trial();
  }

  addTo(builder: GraphBuilder, ...inputs: readonly Value[]): Value {
    return this.#read(builder, inputs, (operands, examples) => this.#logits(builder, operands, examples));
  }

  addLossTo(builder: GraphBuilder, inputs: readonly Value[]): readonly Value[] {
    return this.#read(builder, inputs, (operands, examples) => this.#losses(builder, operands, examples));
  }

  #read<T>(
    builder: GraphBuilder,
    inputs: readonly Value[],
    outputs: (operands: ReadonlyMap<string, Operand>, examples: number) => T,
  ): T {
    const examples = inputs[0]!.shape[0]!;
    const batch = this.#batchFor(examples);
    try {
      return outputs(this.#operands(builder, inputs, batch), examples);
    } catch (cause) {
      throw batch !== null && cause instanceof GraphError ? batch.misfit(cause) : cause;
    }
  }

  /** All tensors of the model by name. */
  #operands(builder: GraphBuilder, inputs: readonly Value[], batch: FixedBatch | null): Map<string, Operand> {
    const operands = new Map<string, Operand>(this.inputs.map(({ name }, k) => [name, inputs[k]!]));
    for (const [name, tensor] of this.#tensors) operands.set(name, this.#initializer(builder, name, tensor));
    const state: ImportState = {
      builder,
      opset: this.file.opset,
      examples: inputs[0]!.shape[0]!,
      exportedExamples: this.#exportedExamples,
      batch,
      externalData: this.options.externalData,
      producers: new Map(this.file.nodes.flatMap((node) => node.output.map((name) => [name, node]))),
      known: new Map(),
      computed: 0,
      unrolled: 0,
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
      this.#exportedTensors = this.#operands(builder, this.#placeholders(builder, exported), null);
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

  /** By the names of the file, which no initialiser has. */
  #placeholders(builder: GraphBuilder, examples: number): Value[] {
    return this.inputs.map(({ name, dtype, shape }) => builder.input(name, dtype, [examples, ...shape]));
  }

  /** The first output, which must depend on the data. */
  #first(operands: ReadonlyMap<string, Operand>): { name: string; output: Value } {
    const name = this.file.outputs[0]?.name ?? '';
    const output = operands.get(name);
    if (output !== undefined && !isStatic(output)) return { name, output };
    throw malformed(
      `output ${name} that does not depend on the input`,
      'a network',
      'export the model again',
    );
  }

  #losses(builder: GraphBuilder, operands: ReadonlyMap<string, Operand>, examples: number): Value[] {
    const { name, output } = this.#first(operands);
    const weight = operands.get(lossWeight);
    const isListed = this.file.outputs.some((other, k) => k > 0 && other.name === lossWeight);
    if (isListed && weight !== undefined) {
      if (isStatic(weight)) return [output, builder.constant(weight.data, weight.shape)];
      return [
        output,
        weight.dtype === 'float32' ? weight : builder.apply('Cast', [weight], { to: 'float32' }),
      ];
    }
    const shape = output.shape;
    if (shape[0] === examples && sizeOf(shape) === examples) return [output];
    throw malformed(
      `output ${name} of shape [${shape.join(', ')}] for ${examples} examples, as a loss`,
      `the loss of each example [N], or a sum with a further output ${lossWeight}, by whose sum it is divided`,
      'export the losses before they are averaged (reduction="none", then the mean over each example alone)',
    );
  }

  #logits(builder: GraphBuilder, operands: ReadonlyMap<string, Operand>, examples: number): Value {
    const { name, output } = this.#first(operands);
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
      const inputs = this.#placeholders(builder, examples);
      if (!this.options.computesLoss) return this.addTo(builder, ...inputs).shape.slice(1);
      const { shape } = this.addLossTo(builder, inputs)[0]!;
      if (shape[0] !== examples) return [];
      return shape.length === 1 ? [1] : shape.slice(1);
    });
    return shapes[1]!;
  }
}

/** What the output is called that says how much a computed loss counts. */
const lossWeight = 'weight';
