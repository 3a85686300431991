import {
  decodeSummary,
  type Manifest,
  type RunReader,
  type RunStatus,
  type RunSummary,
  type Source,
  type SummaryView,
} from 'lossledger/format';
import type { ParameterLayout } from 'lossledger/ledger';
import { runsAsked, summaryAsked } from './early.js';
import { carriedRuns, CarriedSource } from './carried-source.js';
import { HttpSource } from './http-source.js';
import { Prefix } from './prefix.js';

/** What is read at once of one objective. */
export interface ObjectiveData {
  readonly name: string;
  readonly parts: readonly string[];
  /** [T + 1] */
  readonly loss: Float64Array;
  /** [T] */
  readonly total: Float64Array;
  readonly residual: Float64Array;
  readonly leftResidual: Float64Array | null;
  /** [T, L] */
  readonly layerSums: Float64Array;
  readonly layers: Prefix;
  readonly helping: Prefix;
  readonly hurting: Prefix;
  readonly zero: Prefix;
  readonly undetermined: Prefix | null;
  readonly layerError: Float64Array | null;
  /** Finest that is there. */
  readonly finest: 'parameters' | 'neurons' | 'layers';
}

/** A run, as far as it was when it was last looked at. */
export interface RunData {
  readonly name: string;
  readonly address: string;
  /** The run itself, for what its summary has not: its journal is read when this is first asked for. Throws as `openRun` does. */
  readonly reader: () => Promise<RunReader>;
  readonly source: Source;
  readonly manifest: Manifest;
  readonly layout: ParameterLayout;
  readonly status: RunStatus;
  readonly view: SummaryView;
  readonly objectives: readonly ObjectiveData[];
  /** T: segments that can be shown. */
  readonly segments: number;
  /** Names of the arrays that can be read. */
  readonly arrays: readonly string[];
  /** What a page that carries its runs has not of this one; null: it is read from a server, which has all. */
  readonly leftOut: readonly string[] | null;
  /** Whether its server joins blocks of curves (`pyramidPaths.joined`), as that of `lca view` does. */
  readonly joinsBlocks: boolean;
}

/** A run that is announced, before it is read. */
export interface ListedRun {
  readonly name: string;
  readonly path: string;
  readonly leftOut?: readonly string[];
  readonly joinsBlocks?: boolean;
}

/** The runs that the server offers. */
export async function listRuns(): Promise<readonly ListedRun[]> {
  const carried = carriedRuns();
  if (carried !== null) return carried.runs;
  const { runs, joinsBlocks = false } = (await runsAsked()) as { runs: ListedRun[]; joinsBlocks?: boolean };
  return runs.map((run) => ({ ...run, joinsBlocks }));
}

/** Reads what every panel needs of a run. Throws where there is none, where it is damaged, or too large for a page. */
export async function loadRun(listed: ListedRun): Promise<RunData> {
  const { name, path } = listed;
  const leftOut = listed.leftOut ?? null;
  const address = new URL(path, document.baseURI).href;
  const source = leftOut === null ? new HttpSource(address) : new CarriedSource(path);
  const reader = once(() => open(name, source));
  const base = { name, address, source, reader, leftOut, joinsBlocks: listed.joinsBlocks ?? false };
  const bytes = leftOut === null ? await summaryAsked(path) : null;
  if (bytes !== null) return dataOf(base, decodeSummary(bytes));
  return dataOf(base, await summarize(await reader()));
}

/** Gives the same promise each time; one that failed is tried again. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = null;
      throw error;
    });
    return made;
  };
}

/** Reads the journal, and checks it. What that takes is loaded only then. */
async function open(place: string, source: Source): Promise<RunReader> {
  const { openRun, requireRoom } = await import('./reading.js');
  requireRoom(await source.get('manifest.json'));
  return openRun({ place, source, ...fasterDigest() });
}

async function summarize(reader: RunReader): Promise<RunSummary> {
  const { summaryOf } = await import('./reading.js');
  return summaryOf(reader);
}

/** The browser's own SHA-256, where it gives it: not to pages from other machines without encryption. */
function fasterDigest(): { chunkDigest?: (bytes: Uint8Array) => Promise<string> } {
  if (!isSecureContext) return {};
  return {
    chunkDigest: async (bytes) => {
      const hash = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
      return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
    },
  };
}

/** The same run with what was stored since; null where nothing was. */
export async function refreshRun(run: RunData): Promise<RunData | null> {
  const reader = await run.reader();
  // One that was opened just now may be ahead of what is shown.
  const isSame = !(await reader.refresh()) && isEqual(reader.status, run.status);
  return isSame ? null : dataOf(run, await summarize(reader));
}

function isEqual(a: RunStatus, b: RunStatus): boolean {
  return (Object.keys(a) as (keyof RunStatus)[]).every((name) => a[name] === b[name]);
}

function dataOf(
  base: Pick<RunData, 'name' | 'address' | 'source' | 'reader' | 'leftOut' | 'joinsBlocks'>,
  { manifest, layout, status, view, arrays }: RunSummary,
): RunData {
  const own = arrays.filter((name) => !base.leftOut?.includes(name));
  const objectives = view.objectives.map(({ name, parts }) =>
    objectiveOf(view, name, parts, finestOf(name, own)),
  );
  const { name, address, source, reader, leftOut, joinsBlocks } = base;
  return { name, address, source, reader, leftOut, joinsBlocks, manifest, layout, status, view, objectives, segments: view.segments, arrays: own }; // prettier-ignore
}

function finestOf(objective: string, arrays: readonly string[]): ObjectiveData['finest'] {
  if (arrays.includes(`allocation/${objective}`)) return 'parameters';
  return arrays.includes(`neuron_sums/${objective}`) ? 'neurons' : 'layers';
}

function objectiveOf(
  view: SummaryView,
  name: string,
  parts: readonly string[],
  finest: ObjectiveData['finest'],
): ObjectiveData {
  const L = view.layout.layers.length;
  const prefix = (column: 'helping' | 'hurting' | 'zero' | 'undetermined') =>
    new Prefix(view.column(column, name), L);
  const layerSums = view.column('layer_sums', name);
  return {
    name,
    parts,
    finest,
    loss: view.column('loss', name),
    total: view.column('total', name),
    residual: view.column('residual', name),
    leftResidual: view.has('left_residual', name) ? view.column('left_residual', name) : null,
    layerSums,
    layers: new Prefix(layerSums, L),
    helping: prefix('helping'),
    hurting: prefix('hurting'),
    zero: prefix('zero'),
    undetermined: view.has('undetermined', name) ? prefix('undetermined') : null,
    layerError: view.has('layer_error', name) ? view.column('layer_error', name) : null,
  };
}
