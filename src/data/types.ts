import type { Reading } from '../formats/reading.js';

/** What one of several inputs is divided by, and how it is stored. */
export type FurtherTransform = Pick<InputTransform, 'dtype' | 'divisor'>;

/** How stored examples become the network's input, in this order: cast, divide by `divisor`, subtract mean, divide by std. */
export interface InputTransform {
  readonly dtype: 'uint8' | 'float32' | 'int32' | 'int64';
  /** 255 for images; 1 for none. */
  readonly divisor: number;
  /** Per channel (axis 0 of an example), or empty for none. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Of the inputs but the first, by name; default none. */
  readonly further?: Readonly<Record<string, FurtherTransform>>;
}

/** One of several inputs of the same examples, but the first. */
export interface FurtherInput {
  /** As the network has it. */
  readonly name: string;
  /** Shape of one example's, such as [16]. */
  readonly shape: readonly number[];
  /** [count, …shape], row-major, on a SharedArrayBuffer. */
  readonly values: Uint8Array | Float32Array | Float64Array | Int32Array;
}

/** The name under which a further input is fed to a graph: none that a graph gives of itself, such as `labels`. */
export const feedNameOf = (input: string): string => `input/${input}`;

/** A part of a data set, contiguous in memory and shareable between threads. Never written to after it is made. */
export interface Examples {
  readonly count: number;
  /** Shape of one example, such as [1, 28, 28]. */
  readonly shape: readonly number[];
  /** [count, …shape], row-major, on a SharedArrayBuffer. Images stay uint8; float64 is for engines that compute in it. */
  readonly inputs: Uint8Array | Float32Array | Float64Array | Int32Array;
  /** What a network of several inputs reads beside `inputs`; default nothing. */
  readonly further?: readonly FurtherInput[];
  /** Class of each example [count] or of each of its positions [count, …], or targets [count, …]; on a SharedArrayBuffer. Empty: there are none. */
  readonly labels: Int32Array | Float32Array | Float64Array;
}

/** Sets of examples by name: `train`, and those that the source has or a run draws: `validation`, `test`, a user's own names. */
export type ExampleSets = Readonly<Record<string, Examples>> & { readonly train: Examples };

/** How a data set's labels are read. */
export interface Labelling {
  /** Axis of the output that counts classes; axis 0 counts examples. */
  readonly classAxis: number;
  /** Label of what does not count, one more than the last class; null: everything counts. */
  readonly ignored: number | null;
}

/** Labels [N] of classes, all of which count. */
export const plainLabelling: Labelling = { classAxis: 1, ignored: null };

/** A file that a data set was read from. */
export interface SourceFile {
  readonly name: string;
  /** Hex. */
  readonly sha256: string;
  /** Digest of the arrays that were read from it, however they are archived, hex; absent: none was taken. */
  readonly content?: string | undefined;
}

export interface Dataset {
  readonly name: string;
  /** Number of classes; 0 where labels are targets. */
  readonly classes: number;
  /** Within a set, examples stand in ascending order of their place in the source. Each has at least one. */
  readonly splits: ExampleSets;
  /** Of the sets that were drawn, by name: how many examples the source has of it, and the places of those that were taken. */
  readonly drawn: Readonly<Record<string, { readonly from: number; readonly places: Uint32Array }>>;
  /** SHA-256 of the split (which example went where, in which order), hex; part of the objective's definition. */
  readonly splitHash: string;
  /** Sources and their SHA-256, for the manifest. */
  readonly files: readonly SourceFile[];
  /** How the network should read the inputs; part of the objective's definition. */
  readonly transform: InputTransform;
  readonly labelling: Labelling;
  /** By which its classes may be grouped; default none. */
  readonly classGroups?: ClassGroups;
  /** What was decided about the files. */
  readonly readings: readonly Reading[];
}

/** Groups of the classes that labels are, such as kinds of characters. */
export interface ClassGroups {
  /** What they are groups by. */
  readonly by: string;
  /** Of each class [classes]. */
  readonly groups: readonly string[];
}

/** A data set as its source delivers it, before it is split. */
export interface RawDataset {
  readonly name: string;
  readonly classes: number;
  /** What `train`, and where the source has no validation set `validation`, are drawn from; not shared between threads itself. */
  readonly pool: Examples;
  /** The source's other sets, by name. */
  readonly sets: Readonly<Record<string, Examples>>;
  /** How many examples of the pool become `validation`, unless `sets` has one or a run says otherwise. */
  readonly drawn: number;
  readonly files: readonly SourceFile[];
  readonly transform: InputTransform;
  /** Shape of the label of one example: [] for one number. */
  readonly labelShape: readonly number[];
  readonly labelling: Labelling;
  /** By which its classes may be grouped; default none. */
  readonly classGroups?: ClassGroups;
  /** What was decided about the files. */
  readonly readings: readonly Reading[];
}
