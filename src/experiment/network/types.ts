import type { SourceFile } from '../../data/types.js';
import type { Model } from '../../models/types.js';
import type { ReadOptions } from '../../onnx/index.js';
import type { FoldedNames } from '../../trajectory/match/folded.js';
import type { ModelWeights } from '../../trajectory/types.js';

/** A network and where it comes from. */
export interface Network {
  readonly model: Model;
  /** Default examples of a chunk. */
  readonly chunk: number;
  /** The ONNX file and those beside it; none for a built-in network. */
  readonly files: readonly SourceFile[];
  /** Their bytes, by the paths under which a run folder keeps them. */
  readonly attachments: ReadonlyMap<string, Uint8Array>;
  /** Its tensors, parameters or not, to compare with a recording. */
  readonly weights: () => ModelWeights;
  /** What the author of the model may not have meant. */
  readonly warnings: readonly string[];
}

/** What opening a network asks: of the data, the shapes of an example; of a recording, which tensors are trained. */
export interface NetworkOptions extends Pick<ReadOptions, 'exampleShape' | 'computesLoss'> {
  /** What the arrays of layers are called that the exporter folded, by a recording; null: it does not tell. Default: they stay folded. */
  readonly foldedNames?: (
    weights: ModelWeights,
  ) => Promise<(Pick<FoldedNames, 'names'> & Partial<FoldedNames>) | null>;
  /** Names of the tensors that a recording moves, among all of the file's; default what the file suggests. */
  readonly trained?: (weights: ModelWeights) => Promise<ReadonlySet<string>>;
}

/** A network whose inputs are known, before data and recording say the rest. */
export interface NetworkFile {
  /** Names of its inputs; null: a built-in network, which has one. */
  readonly inputs: readonly string[] | null;
  open(options?: NetworkOptions): Promise<Network>;
}
