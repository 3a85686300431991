import { type PyramidIndex, pyramidPaths, sha256 } from 'lossledger/format';
import type { ObjectiveData, RunData } from './load';
import type { Checkpoints } from './sums';

interface Known {
  readonly index: PyramidIndex | null;
  readonly at: number;
}

const known = new WeakMap<RunData['source'], Map<string, Promise<Known>>>();
const latest = new WeakMap<RunData['source'], Map<string, Known>>();
/** A pyramid that is not whole is asked for again after so long. */
const staleMilliseconds = 3000;

/** What is there of an objective's pyramid; null where none is, or one of another run. */
export async function pyramidOf(run: RunData, { name, finest }: ObjectiveData): Promise<PyramidIndex | null> {
  if (finest !== 'parameters') return null;
  const own = known.get(run.source) ?? new Map<string, Promise<Known>>();
  known.set(run.source, own);
  const last = await own.get(name);
  const isWhole = last?.index != null && last.index.segments === run.status.iterations;
  if (last && (isWhole || performance.now() - last.at < staleMilliseconds)) return last.index;
  const asked = read(run, name).catch(() => ({ index: null, at: performance.now() }));
  own.set(name, asked);
  const found = await asked;
  const seen = latest.get(run.source) ?? new Map<string, Known>();
  latest.set(run.source, seen.set(name, found));
  return found.index;
}

/** Waits, the first time, until it is known whether there is a pyramid; looking again is for later moves of the cursor. */
export async function pyramidSeen(run: RunData, own: ObjectiveData): Promise<void> {
  if (!latest.get(run.source)?.has(own.name)) await pyramidOf(run, own);
}

async function read(run: RunData, objective: string): Promise<Known> {
  const [bytes, manifest] = await Promise.all([
    run.source.get(pyramidPaths.index(objective)),
    run.source.get('manifest.json'),
  ]);
  const at = performance.now();
  if (bytes === undefined || bytes.length === 0 || manifest === undefined) return { index: null, at };
  const index = JSON.parse(new TextDecoder().decode(bytes)) as PyramidIndex;
  return { index: index.manifest === sha256(manifest) ? index : null, at };
}

/**
 * Sums of first segments, as far as they were seen to be there.
 *
 * @param isExact In float64, every 16 segments; otherwise rounded to float32, in half of the bytes and every 4 segments.
 */
export function checkpointsOf(run: RunData, own: ObjectiveData, isExact: boolean): Checkpoints | null {
  void pyramidOf(run, own);
  const index = latest.get(run.source)?.get(own.name)?.index ?? null;
  if (index === null) return null;
  // Pyramids of earlier versions have exact ones only.
  const stride = isExact ? index.stride : (index.roundedStride ?? index.stride);
  const isRounded = !isExact && index.roundedStride !== undefined;
  const path = (rows: number) => pyramidPaths[isRounded ? 'rounded' : 'sums'](own.name, rows);
  const size = (isRounded ? 4 : 8) * run.layout.size;
  return {
    stride,
    upTo: Math.floor(index.segments / stride) * stride,
    read: async (rows) => {
      const bytes = await run.source.get(path(rows), { start: 0, end: size });
      if (bytes?.length !== size)
        throw new Error(`${path(rows)} is missing: delete the folder pyramid, it is made anew`);
      const { buffer, byteOffset } = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
      const numbers = isRounded ? Float32Array : Float64Array;
      return new Float64Array(new numbers(buffer as ArrayBuffer, byteOffset, run.layout.size));
    },
  };
}

/** One parameter's allocations [T], by blocks of the pyramid as far as they are there. */
export async function parameterCurve(
  run: RunData,
  own: ObjectiveData,
  parameter: number,
): Promise<Float64Array> {
  const T = run.segments;
  const index = await pyramidOf(run, own);
  const rows = index?.curveRows ?? 1;
  const blocks = Math.floor(Math.min(T, index?.segments ?? 0) / rows);
  const lastRows = index?.lastRows ?? 0;
  const curve = new Float64Array(T);
  const Numbers = run.manifest.definition.precision === 'float32' ? Float32Array : Float64Array;
  const blockAt = async (block: number, count: number): Promise<void> => {
    const path = pyramidPaths.curves(own.name, block);
    const size = count * Numbers.BYTES_PER_ELEMENT;
    const bytes = await run.source.get(path, { start: parameter * size, end: (parameter + 1) * size });
    if (bytes?.length !== size)
      throw new Error(`${path} is missing: delete the folder pyramid, it is made anew`);
    curve.set(new Numbers(bytes.slice().buffer), block * rows);
  };
  const rest = async (): Promise<void> => {
    const from = blocks * rows;
    if (from === T) return;
    if (from + lastRows === T) return blockAt(blocks, lastRows);
    const reader = await run.reader();
    curve.set(await reader.curve(`allocation/${own.name}`, parameter, { from, to: T }), from);
  };
  const wholeBlocks = async (): Promise<void> => {
    const size = rows * Numbers.BYTES_PER_ELEMENT;
    const path = pyramidPaths.joined(own.name, blocks, parameter * size, (parameter + 1) * size);
    const joined = run.joinsBlocks && blocks > 1 ? await run.source.get(path) : undefined;
    if (joined?.length === blocks * size) curve.set(new Numbers(joined.slice().buffer));
    // A folder of files has the blocks alone.
    else await Promise.all(Array.from({ length: blocks }, (_, block) => blockAt(block, rows)));
  };
  await Promise.all([rest(), wholeBlocks()]);
  return curve;
}
