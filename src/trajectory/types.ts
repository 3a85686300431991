import type { ElementType, NdArray } from '../formats/array.js';
import type { Reading } from '../formats/reading.js';

/** One parameter tensor of the model that a trajectory must fit, in the order of θ. */
export interface TensorShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A trajectory recorded elsewhere, read one row at a time. */
export interface Trajectory {
  /** T + 1, at least 2. */
  readonly rows: number;
  /** Training iteration of each row [T+1], ascending; 0 … T unless the files say otherwise. */
  readonly iteration: readonly number[];
  /**
   * θ_t [K] in the model's order. Cheapest in ascending order: compressed files are read front to back, and again from the start
   * for an earlier row. Throws DataError where a number is not finite or the file turns out damaged.
   */
  row(t: number): Promise<Float32Array>;
  /** Names of the components of updates that are recorded too. Throws DataError where there are none, or they do not fit θ. */
  components(): readonly string[];
  /** Of a component, its row [K] for the step from row `t` to the next, in the model's order. Throws as `row` does. */
  component(name: string, t: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/** What the table of contents of a file says of a tensor. */
export interface TensorEntry {
  readonly shape: readonly number[];
  /** Null: a type without a counterpart here. */
  readonly dtype: ElementType | null;
  /** As the file calls it. */
  readonly storedType: string;
}

/** A file of named tensors, read on demand. */
export interface TensorFile {
  readonly name: string;
  readonly entries: ReadonlyMap<string, TensorEntry>;
  /** Text that stands beside the tensors, by name; null where there is none of that name. */
  text(name: string): string | null;
  /** Plain numbers that stand beside the tensors, such as the step of a checkpoint, by name; left out where the format keeps none. */
  readonly numbers?: ReadonlyMap<string, number>;
  /** A tensor, or its rows `from` to `to` (exclusive) along axis 0. Throws DataError where it is damaged or of no known type. */
  read(name: string, from?: number, to?: number): Promise<NdArray>;
  close(): Promise<void>;
}

/** One component of all updates, such as what momentum moved. */
export interface RecordedUpdate {
  /** Its arrays [T, …shape], by the recorded tensors that it moves. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** What it moved of a tensor in the step from row `t` to the next. */
  read(tensor: string, t: number): Promise<NdArray>;
}

/** Tensors recorded at several moments of training, wherever they are kept. */
export interface Recording {
  /** The file or folder. */
  readonly name: string;
  /** T + 1 */
  readonly rows: number;
  readonly iteration: readonly number[];
  /** Tensors of a row. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** Arrays of the file that have another number of rows, and so are no tensors of a row. */
  readonly others?: ReadonlyMap<string, TensorEntry>;
  /** All parameters end to end under one name, where they are recorded so, with what is said of their order; else null. */
  readonly flat: FlatTensor | null;
  /** Components of updates that stand beside the tensors, by their names. */
  readonly updates: ReadonlyMap<string, RecordedUpdate>;
  /** Parameters that were not trained, by the recording's own word, with the SHA-256 of their numbers as float32. */
  readonly frozen?: readonly { readonly name: string; readonly sha256: string }[];
  /** A tensor of row `t`. */
  read(name: string, t: number): Promise<NdArray>;
  /** Whether row `t` has a tensor with the shape that stands in `tensors`, which those that are passed over need not; absent: it has. */
  has?(name: string, t: number): Promise<boolean>;
  close(): Promise<void>;
}

/** θ as one tensor. */
export interface FlatTensor {
  readonly name: string;
  /** K */
  readonly size: number;
  /** Names and shapes of its parts in order, where the file lists them. */
  readonly parts: readonly TensorShape[] | null;
}

/** What the user says about a recording that the files leave open. */
export interface RecordingOptions {
  /** Matches the names of checkpoints; its group is the iteration. */
  readonly checkpointPattern?: string | null;
  /** For θ without names: the parameters' names in order. Else pairs `recorded=model`, each with at most one `*`. */
  readonly names?: readonly string[];
  /** Parameters held at their values in the model file though they are not recorded: names with `*`. */
  readonly frozen?: readonly string[];
  /** What is not recorded is held at its values in the model file. */
  readonly rest?: 'frozen' | null;
  /** Recorded tensors that are passed over: names with `*`. */
  readonly ignore?: readonly string[];
  readonly layout?: RecordedLayout | null;
  /** It is still being recorded: its files grow. */
  readonly follow?: boolean;
}

/**
 * How the axes of recorded kernels stand: as the model's; or TensorFlow's, dense [in, out] and convolutions [height, width, in, out],
 * where kernels behind a Flatten count channels last or first.
 */
export const recordedLayouts = ['model', 'tensorflow', 'tensorflowChannelsFirst'] as const;
export type RecordedLayout = (typeof recordedLayouts)[number];

/** A tensor of floats of the model: a parameter, or a constant of the network. */
export interface ModelTensor extends TensorShape {
  /** What its readers in the network suggest it is. */
  readonly verdict: 'trained' | 'likely' | 'unlikely' | 'constant';
  /** Whether an exporter made the name up. */
  readonly anonymous: boolean;
  /** Whether it is a mean or variance by which batch normalisation is measured; default false. */
  readonly statistic?: boolean;
  /** What it is of, where its name says that it is a buffer that layers move by themselves. */
  readonly state?: string | null;
  /** Its numbers in the model's file, row-major; null where the model has none. */
  data(): Float32Array | null;
}

/** A recurrent layer whose arrays the model's exporter folded into others, without their names. */
export interface FoldedLayer {
  /** Name of the node that computes it. */
  readonly node: string;
  /** Names of the tensors that were made of the arrays. */
  readonly stored: readonly string[];
  /** In the order in which PyTorch declares them: `weight_ih`, `weight_hh`, `bias_ih` and `bias_hh` of each direction. */
  readonly arrays: readonly {
    readonly kind: string;
    readonly isReverse: boolean;
    readonly shape: readonly number[];
    data(): Float32Array;
  }[];
  /** Place in the list of the layer whose outputs it reads; null: of none, or not of one alone. */
  readonly above: number | null;
}

/** The model's tensors before it is known which are trained. */
export interface ModelWeights {
  readonly tensors: readonly ModelTensor[];
  /** What shows that they stand in the order in which they were declared; null: nothing does. */
  readonly declared: string | null;
  /** Layers whose tensors are not those that were trained; default none. */
  readonly folded?: readonly FoldedLayer[];
  /** What was decided about names before; default nothing. */
  readonly readings?: readonly Reading[];
}

/** Where the numbers of a parameter are in a recording. */
export interface RecordedPart {
  /** Of the recording's tensors. */
  readonly tensor: string;
  /** First number of the parameter there; 0 but for parts of a flat θ. */
  readonly offset: number;
  /** Name and shape under which it is recorded; the shape is null where nothing tells it. */
  readonly name: string;
  readonly shape: readonly number[] | null;
  /** For each axis as recorded, that of the model, where values told; null: not yet known. */
  readonly axes: readonly number[] | null;
}

/** Which tensors of the model a recording moves, and where their numbers are. */
export interface Match {
  /** By the parameters' names. */
  readonly parts: ReadonlyMap<string, RecordedPart>;
  /** Parameters that are not recorded and stay as the model's file has them. */
  readonly frozen: readonly string[];
  /** Tensors that look like parameters, and were none to the recorder. */
  readonly buffers?: readonly string[];
  readonly readings: readonly Reading[];
}
