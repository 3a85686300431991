import { type Manifest, openRun, type RunReader, type RunStatus } from 'lossledger/format';
import type { LedgerView, ParameterLayout } from 'lossledger/ledger';
import { HttpSource } from './http-source.js';

/** What the page can hold in memory: more numbers than that are refused before anything is made for them. */
const mostParameters = 2 ** 27;
const mostNames = 2 ** 21;

/** One number series by time, prefix-summed: `at(b) − at(a)` is the sum of [a, b). */
export class Prefix {
  /** [T + 1, width] */
  readonly sums: Float64Array;

  constructor(
    values: ArrayLike<number>,
    readonly width: number,
  ) {
    const rows = values.length / width;
    this.sums = new Float64Array((rows + 1) * width);
    for (let k = 0; k < values.length; k++) this.sums[k + width] = this.sums[k]! + values[k]!;
  }

  /** Sums [width] of rows [from, to). */
  over(from: number, to: number): Float64Array {
    const { sums, width } = this;
    return Float64Array.from({ length: width }, (_, k) => sums[to * width + k]! - sums[from * width + k]!);
  }
}

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
  readonly reader: RunReader;
  readonly source: HttpSource;
  readonly manifest: Manifest;
  readonly layout: ParameterLayout;
  readonly status: RunStatus;
  readonly view: LedgerView;
  readonly objectives: readonly ObjectiveData[];
  /** T: segments that can be shown. */
  readonly segments: number;
}

/** A run that is announced, before it is read. */
export interface ListedRun {
  readonly name: string;
  readonly path: string;
}

/** The runs that the server offers. */
export async function listRuns(): Promise<ListedRun[]> {
  const response = await fetch('runs.json', { cache: 'no-store' });
  if (!response.ok) throw new Error(`runs.json: the server answered ${response.status}`);
  return ((await response.json()) as { runs: ListedRun[] }).runs;
}

/** Reads what every panel needs of a run. Throws where there is none, where it is damaged, or too large for a page. */
export async function loadRun({ name, path }: ListedRun): Promise<RunData> {
  const address = new URL(path, document.baseURI).href;
  const source = new HttpSource(address);
  requireRoom(await source.get('manifest.json'));
  const reader = await openRun({ place: name, source, ...fasterDigest() });
  return dataOf({ name, address, source, reader });
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
  return (await run.reader.refresh()) ? dataOf(run) : null;
}

async function dataOf(base: Pick<RunData, 'name' | 'address' | 'source' | 'reader'>): Promise<RunData> {
  const { reader } = base;
  const view = await reader.view();
  const { manifest, layout, status } = reader;
  const objectives = view.objectives.map(({ name, parts }) => objectiveOf(view, name, parts, manifest.keep));
  return { ...base, manifest, layout, status, view, objectives, segments: view.segments };
}

function objectiveOf(
  view: LedgerView,
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

/** Refuses a manifest that announces more than a page can hold, before anything is made by its numbers. */
function requireRoom(bytes: Uint8Array | undefined): void {
  if (bytes === undefined) return;
  const { parameters } = JSON.parse(new TextDecoder().decode(bytes)) as {
    parameters?: { size?: unknown; shape?: unknown }[];
  };
  if (!Array.isArray(parameters)) return;
  let [size, names] = [0, 0];
  for (const own of parameters) {
    size += Number(own.size ?? 0);
    names += Array.isArray(own.shape) ? Math.max(1, ...own.shape.slice(0, 2).map(Number)) : 1;
  }
  if (size <= mostParameters && names <= mostNames) return;
  throw new Error(
    `the manifest announces ${size.toLocaleString('en')} parameters; a page holds at most ${mostParameters.toLocaleString('en')}. lca report and lca export read runs of any size.`,
  );
}
