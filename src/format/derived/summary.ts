import { strFromU8, strToU8 } from 'fflate';
import { StoreError, UsageError } from '../../errors.js';
import type { ColumnNumbers, SmallColumnName } from '../../ledger/columns.js';
import { layoutOf } from '../../ledger/layout.js';
import type { ParameterLayout } from '../../ledger/types.js';
import type { LedgerView } from '../../ledger/view.js';
import type { Manifest } from '../manifest.js';
import type { RunReader, RunStatus } from '../reader.js';

/*
 * What a page shows first of a run, as one resource instead of some hundred: the manifest, how far the run has come, and the columns of sums by layer. It
 * follows from the ledger, is read from it with all checksums by who makes it (`lca view`, `lca export site`), and is never needed: where there is none, the
 * page reads the ledger itself. Bytes: length of the header (uint32), the header (JSON), zeros up to a multiple of 8, then the columns end to end,
 * float64 or int32, little-endian, each from a multiple of 8 on.
 */

/** Columns that it has, of each objective, where the run has them. */
export const summaryColumns = [
  'loss', 'total', 'residual', 'left_residual', 'layer_sums', 'layer_error', 'helping', 'hurting', 'zero', 'undetermined',
] as const satisfies readonly SmallColumnName[]; // prettier-ignore

/** The ledger as far as a summary has it: columns other than `summaryColumns` are missing. */
export type SummaryView = Omit<LedgerView, 'rows'>;

/** A run as it was when the summary was made. */
export interface RunSummary {
  readonly manifest: Manifest;
  readonly status: RunStatus;
  /** Names of all arrays, whether filled already or not. */
  readonly arrays: readonly string[];
  readonly layout: ParameterLayout;
  readonly view: SummaryView;
}

/** What of a view stands in the header as it is. */
type ViewFacts = Omit<SummaryView, 'iteration' | 'layout' | 'column' | 'has'>;

interface Header {
  readonly manifest: Manifest;
  readonly status: RunStatus;
  readonly arrays: readonly string[];
  readonly view: ViewFacts;
  readonly columns: readonly { name: string; objective: string; dtype: 'float64' | 'int32'; count: number }[];
}

/** Path of a run's summary beside its files, as it is served and written to sites. */
export const summaryPath = 'summary';

/** What a page, or who makes something for one, can hold in memory: parameters, and names of their rows and columns. */
const [mostParameters, mostNames] = [2 ** 27, 2 ** 21];

/**
 * Refuses a manifest that announces more than a page can hold, before anything is made by its numbers.
 *
 * @throws StoreError where it does; what is no manifest at all is left to who reads it.
 */
export function requireRoom(manifest: Uint8Array | undefined): void {
  let [size, names] = [0, 0];
  for (const own of manifest === undefined ? [] : announced(manifest)) {
    size += Number(own.size ?? 0);
    names += Array.isArray(own.shape) ? Math.max(1, ...own.shape.slice(0, 2).map(Number)) : 1;
  }
  if (size <= mostParameters && names <= mostNames) return;
  throw new StoreError({
    given: `a manifest that announces ${size.toLocaleString('en')} parameters`,
    expected: `at most ${mostParameters.toLocaleString('en')}, and ${mostNames.toLocaleString('en')} neurons: a page holds no more`,
    remedy: 'use lca report and lca export, which read runs of any size',
  });
}

/** The parameters that a manifest announces; none where it is none. */
function announced(manifest: Uint8Array): { size?: unknown; shape?: unknown }[] {
  try {
    const { parameters } = JSON.parse(strFromU8(manifest)) as { parameters?: unknown };
    return Array.isArray(parameters) ? (parameters as { size?: unknown; shape?: unknown }[]) : [];
  } catch {
    return [];
  }
}

/** The summary of a run as the reader has it. Throws StoreError where columns are damaged. */
export async function summaryOf(reader: RunReader): Promise<RunSummary> {
  const { manifest, status, arrayNames, layout } = reader;
  return { manifest, status, arrays: arrayNames, layout, view: await reader.view() };
}

/** A summary's bytes. */
export function encodeSummary({ manifest, status, arrays, view }: RunSummary): Uint8Array {
  const { segments, objectives, components, unit, rule, tolerance, certify } = view;
  const found = objectives.flatMap(({ name: objective }) =>
    summaryColumns
      .filter((name) => view.has(name, objective))
      .map((name) => ({ name, objective, numbers: view.column(name, objective) })),
  );
  const header: Header = {
    manifest,
    status,
    arrays,
    view: { segments, objectives, components, unit, rule, tolerance, certify },
    columns: found.map(({ name, objective, numbers }) => ({
      name,
      objective,
      dtype: numbers instanceof Int32Array ? 'int32' : 'float64',
      count: numbers.length,
    })),
  };
  const text = strToU8(JSON.stringify(header));
  const sizes = found.map(({ numbers }) => aligned(numbers.byteLength));
  const start = aligned(4 + text.length);
  const bytes = new Uint8Array(start + sizes.reduce((total, size) => total + size, 0));
  const data = new DataView(bytes.buffer);
  data.setUint32(0, text.length, true);
  bytes.set(text, 4);
  let at = start;
  for (const [k, { numbers }] of found.entries()) {
    put(data, at, numbers);
    at += sizes[k]!;
  }
  return bytes;
}

/** A summary of its bytes, which must be those of `encodeSummary`. */
export function decodeSummary(bytes: Uint8Array): RunSummary {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = data.getUint32(0, true);
  const header = JSON.parse(strFromU8(bytes.subarray(4, 4 + length))) as Header;
  const { manifest, status, arrays, columns } = header;
  const kept = new Map<string, Float64Array | Int32Array>();
  let at = aligned(4 + length);
  for (const { name, objective, dtype, count } of columns) {
    const numbers = dtype === 'int32' ? new Int32Array(count) : new Float64Array(count);
    take(data, at, numbers);
    kept.set(`${name}/${objective}`, numbers);
    at += aligned(numbers.byteLength);
  }
  const layout = layoutOf(manifest.parameters, manifest.groupings);
  return { manifest, status, arrays, layout, view: viewOf(header, layout, kept) };
}

function viewOf(
  { view, manifest }: Header,
  layout: ParameterLayout,
  kept: ReadonlyMap<string, Float64Array | Int32Array>,
): SummaryView {
  const { iteration } = manifest.trajectory;
  return {
    ...view,
    layout,
    iteration: Int32Array.from({ length: view.segments + 1 }, (_, row) => iteration?.[row] ?? row),
    has: (name, objective) => kept.has(`${name}/${objective ?? ''}`),
    column<N extends SmallColumnName>(name: N, objective?: string) {
      const numbers = kept.get(`${name}/${objective ?? ''}`);
      if (numbers !== undefined) return numbers as ColumnNumbers<N>;
      throw new UsageError({
        given: `column ${name} of objective ${objective ?? ''}`,
        expected: `one of ${[...kept.keys()].join(', ')}`,
        remedy: 'read the run itself: its summary has no other columns',
      });
    },
  };
}

function aligned(size: number): number {
  return Math.ceil(size / 8) * 8;
}

function put(data: DataView, start: number, numbers: Float64Array | Int32Array): void {
  if (numbers instanceof Int32Array)
    for (let k = 0; k < numbers.length; k++) data.setInt32(start + 4 * k, numbers[k]!, true);
  else for (let k = 0; k < numbers.length; k++) data.setFloat64(start + 8 * k, numbers[k]!, true);
}

function take(data: DataView, start: number, numbers: Float64Array | Int32Array): void {
  if (numbers instanceof Int32Array)
    for (let k = 0; k < numbers.length; k++) numbers[k] = data.getInt32(start + 4 * k, true);
  else for (let k = 0; k < numbers.length; k++) numbers[k] = data.getFloat64(start + 8 * k, true);
}
