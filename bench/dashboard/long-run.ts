import { existsSync } from 'node:fs';
import { link, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UsageError } from '../../src/errors.js';
import { makeFolder } from '../../src/folders.js';
import { manifestName } from '../../src/format/context.js';
import {
  curveRows,
  PyramidBuilder,
  type PyramidIndex,
  pyramidPaths,
  roundedStride,
  sumStride,
} from '../../src/format/derived/pyramid.js';
import { chunkPath } from '../../src/format/layout/arrays.js';
import { allocate } from '../../src/ledger/allocate.js';
import { ledgerRow } from '../../src/ledger/columns.js';
import { type LaidTensor, layoutOf } from '../../src/ledger/layout.js';

import { sha256 } from '../../src/store/files.js';
import { writeResult } from '../../src/store/place.js';
import { createRunFolder, openRun } from '../../src/store/open.js';
import { smallManifest } from '../../test/support/run-folder.js';

/*
 * tsx bench/dashboard/long-run.ts RUN [SEGMENTS]
 *
 * A run of the shape of cifar-allcnn-sgd over 5,000 iterations (5,000 × 1.4 million weights), written by the product's own writers of made-up numbers, for
 * `npm run bench:dashboard -- RUN`. Rows repeat every 64 segments, and files that are the same are one on the disk (hard links): it takes 18 GB in place of 100.
 * Where the run is there already, only its pyramid is written anew.
 */
const [folder, count = '5000'] = process.argv.slice(2);
if (folder === undefined)
  throw new UsageError({ given: 'no folder', expected: 'where the run shall be', remedy: 'name one' });
const segments = Number(count);
const period = curveRows;

const channels = [3, 96, 96, 96, 192, 192, 192, 192, 192, 10];
const sides = [3, 3, 3, 3, 3, 3, 3, 1, 1];
const tensors: LaidTensor[] = sides.flatMap((side, l) => {
  const [inputs, outputs, layer] = [channels[l]!, channels[l + 1]!, `conv${l + 1}`];
  return [
    { name: `${layer}.weight`, shape: [outputs, inputs, side, side], layer, neuronAxis: 0 },
    { name: `${layer}.bias`, shape: [outputs], layer, neuronAxis: 0 },
  ];
});
const layout = layoutOf(tensors);

/** Numbers [K] of heavy tails, the same at each call. */
function made(key: number): Float64Array {
  let state = Math.imul(key + 1, 0x9e3779b1) | 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  };
  return Float64Array.from({ length: layout.size }, () => next() ** 5);
}

const lossAt = (row: number) => 0.2 + 2.1 * Math.exp(-row / (segments / 6));
const gradients = Array.from({ length: period }, (_, k) => Float32Array.from(made(k)));
const ends = made(period);
const delta = new Float64Array(layout.size).fill(-1e-6);

function rowOf(segment: number): ReturnType<typeof ledgerRow> {
  const meanGradient = Float64Array.from(gradients[segment % period]!);
  const [lossStart, lossEnd] = [lossAt(segment), lossAt(segment + 1)];
  return ledgerRow(
    allocate({ delta, meanGradient, startGradient: ends, endGradient: ends, lossStart, lossEnd, layout, subintervals: 1, evaluations: 3 }),
  ); // prettier-ignore
}

async function writeRun(target: string): Promise<void> {
  const content = smallManifest(
    segments,
    {
      objectives: [{ name: 'train', parts: [{ name: 'all', examples: 100 }] }],
      trajectory: { iterations: segments, iteration: null, batchSize: null },
    },
    tensors,
  );
  const run = await createRunFolder(target, content);
  const placed = (placement: string) => run.context.arrays.filter((spec) => spec.placement === placement);
  /** Files of the rows of a period become those of the first one, of which they are copies. */
  const share = async (placement: string, last: number): Promise<void> => {
    if (last % period !== period - 1 || last < period) return;
    await run.flush();
    for (const spec of placed(placement))
      for (let row = last - period + 1; row <= last; row++) {
        const [own, first] = [row, row % period].map((at) => join(run.folder, chunkPath(spec, at))) as [string, string]; // prettier-ignore
        await rm(own);
        await link(first, own);
      }
  };
  const thetas = [made(1000), made(1001)].map((row) => Float32Array.from(row));
  for (let row = 0; row <= segments; row++) {
    await run.writeTheta(row, thetas[row % 2]!);
    await share('theta', row);
  }
  await run.finishTraining({});
  for (let segment = 0; segment < segments; segment++) {
    await run.commitSegment({ segment, rows: [rowOf(segment)] });
    await share('row', segment);
  }
  await run.close();
}

/** As `writePyramids` does, but without asking for four times its room, and with one file for all blocks of curves. */
async function writeOwnPyramid(target: string): Promise<void> {
  const reader = await openRun(target);
  const builder = new PyramidBuilder('train', layout.size, 'float32');
  const first = join(target, pyramidPaths.curves('train', 0));
  for await (const row of reader.array('allocation/train').rows())
    for (const { path, bytes } of builder.add(row)) {
      const own = join(target, path);
      if (dirname(own) === dirname(first) && own !== first) {
        await makeFolder(dirname(own));
        await rm(own, { force: true });
        await link(first, own);
      } else await writeResult(target, path, bytes);
    }
  for (const { path, bytes } of builder.finish()) await writeResult(target, path, bytes);
  const manifest = sha256((await reader.context.source.get(manifestName))!);
  const index: PyramidIndex = { manifest, stride: sumStride, roundedStride, curveRows, segments: builder.segments, lastRows: builder.segments % curveRows }; // prettier-ignore
  await writeResult(target, pyramidPaths.index('train'), `${JSON.stringify(index)}\n`);
}

if (!existsSync(join(folder, manifestName))) await writeRun(folder);
await writeOwnPyramid(folder);
