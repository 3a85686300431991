import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collect, completeRun, filesOf, finish, lastingOf, orderRow, segmentOf, smallManifest, thetaOf, train } from '../../test/support/run-folder.js'; // prettier-ignore
import { runPlace } from '../../test/support/run-place.js';
import { NumericError, StoreError } from '../errors.js';
import { manifestName } from '../format/context.js';
import { estimateBytes } from '../format/layout/arrays.js';
import { createRunFolder, openRun, resumeRun } from './open.js';

const T = 7;
const manifest = smallManifest(T);
const place = runPlace();

describe('a new run', () => {
  it('reads back what was written', async () => {
    await completeRun(place.run, manifest);
    const run = await openRun(place.run);
    expect(run.status).toEqual({ iterations: T, rows: T + 1, trained: true, segments: T, sealed: true });
    expect(run.trainingStats).toEqual({ steps: T });
    expect(run.manifest).toMatchObject(manifest);
    for (let row = 0; row <= T; row++) expect(await run.theta(row)).toEqual(thetaOf(row, run.layout.size));
  });

  it('is refused where the folder exists, and nothing is touched', async () => {
    mkdirSync(place.run);
    writeFileSync(join(place.run, 'mine'), 'x');
    await expect(createRunFolder(place.run, manifest)).rejects.toMatchObject({ tag: 'store', exitCode: 2 });
    expect([...filesOf(place.parent).keys()]).toEqual(['run/mine']);
  });

  it('leaves nothing behind where it cannot be made', async () => {
    writeFileSync(join(place.parent, 'file'), '');
    await expect(createRunFolder(join(place.parent, 'file', 'run'), manifest)).rejects.toThrow(
      /a part of it is a file/,
    );
    const wrong = { ...manifest, seed: 1.5 };
    await expect(createRunFolder(place.run, wrong)).rejects.toThrow(/not a valid manifest/);
    expect([...filesOf(place.parent).keys()]).toEqual(['file']);
  });

  it('makes the folders above it', async () => {
    const deep = join(place.parent, 'a', 'b', 'run');
    await (await createRunFolder(deep, manifest)).close();
    expect(existsSync(join(deep, manifestName))).toBe(true);
  });

  it('holds no lock after it is closed', async () => {
    await completeRun(place.run, manifest);
    expect([...filesOf(place.run).keys()].filter((path) => path.includes('lock'))).toEqual([]);
  });
});

describe('the ledger of a run', () => {
  it('is what was measured, by objective', async () => {
    await completeRun(place.run, manifest);
    const view = await (await openRun(place.run)).view();
    expect(view.segments).toBe(T);
    expect([...view.iteration]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    for (const [o, { name }] of manifest.objectives.entries()) {
      const allocations = await collect(view.rows('allocation', name)!);
      const neurons = await collect(view.rows('neuron_sums', name)!);
      for (let t = 0; t < T; t++) {
        const row = segmentOf(manifest, t).rows[o]!;
        expect(allocations[t]).toEqual(row.allocation);
        expect(neurons[t]).toEqual(row.neuron_sums);
        for (const column of ['layer_sums', 'helping', 'hurting', 'zero'] as const) {
          expect(view.column(column, name).subarray(2 * t, 2 * t + 2)).toEqual(row[column]);
        }
        for (const column of ['total', 'residual', 'left_residual'] as const) {
          expect(view.column(column, name)[t]).toBe(row[column]);
        }
        expect([...view.column('loss', name).subarray(t, t + 2)]).toEqual(row.loss);
        expect([view.column('subintervals')[t], view.column('evaluations')[t]]).toEqual([
          row.subintervals,
          row.evaluations,
        ]);
      }
    }
  });

  it('has only what was asked to be kept', async () => {
    const content = smallManifest(T, { keep: 'layers', objectives: manifest.objectives.slice(0, 1) });
    await completeRun(place.run, content);
    const view = await (await openRun(place.run)).view();
    expect(() => view.column('loss', 'mine')).toThrow(/column loss of objective mine\n.*one of loss\/train/);
    expect([view.rows('allocation', 'train'), view.rows('neuron_sums', 'train')]).toEqual([null, null]);
    expect(view.column('loss', 'train')).toHaveLength(T + 1);
    expect(existsSync(join(place.run, 'ledger.zarr/allocation'))).toBe(false);
  });

  it('of an unfinished run is its first segments without a gap', async () => {
    const run = await createRunFolder(place.run, manifest);
    await train(run, manifest);
    for (const segment of [0, 1, 2, 4]) await run.commitSegment(segmentOf(manifest, segment));
    await run.flush();
    const other = await openRun(place.run);
    expect(other.unmeasured()).toEqual([{ from: 3, to: 4 }, { from: 5, to: 7 }]); // prettier-ignore
    const view = await other.view();
    expect(view.segments).toBe(3);
    const losses = view.column('loss', 'mine');
    expect([...losses]).toEqual(
      [0, 1, 2]
        .map((t) => segmentOf(manifest, t).rows[1]!.loss[0])
        .concat(segmentOf(manifest, 2).rows[1]!.loss[1]),
    );
    expect(view.column('part_loss', 'mine').subarray(6)).toEqual(
      Float64Array.from(segmentOf(manifest, 2).rows[1]!.part_loss.slice(2)),
    );
    expect(await collect(view.rows('allocation', 'train')!)).toHaveLength(3);
    await run.close();
  });

  it('takes iteration numbers of checkpoints', async () => {
    const content = smallManifest(2, {
      trajectory: { iterations: 2, iteration: [0, 100, 250], batchSize: null },
    });
    await completeRun(place.run, content);
    const run = await openRun(place.run);
    expect([...(await run.view()).iteration]).toEqual([0, 100, 250]);
    expect(run.arrayNames).not.toContain('order');
  });
});

describe('a resumed run', () => {
  it.each(['after some rows', 'after training', 'after some segments', 'after a clean early stop'])(
    'ends with the same bytes %s',
    async (moment) => {
      const whole = join(place.parent, 'whole');
      await completeRun(whole, manifest);
      const run = await createRunFolder(place.run, manifest);
      for (let row = 0; row < 3; row++) await run.writeTheta(row, thetaOf(row, run.layout.size));
      if (moment !== 'after some rows') await train(run, manifest);
      if (moment.includes('segments') || moment.includes('stop')) {
        for (const segment of [0, 1, 5]) await run.commitSegment(segmentOf(manifest, segment));
      }
      await run.close();

      const resumed = await resumeRun(place.run);
      await finish(resumed, manifest);
      expect(resumed.status.sealed).toBe(true);
      await resumed.close();
      expect(lastingOf(place.run)).toEqual(lastingOf(whole));
    },
  );

  it('does nothing where all is done', async () => {
    await completeRun(place.run, manifest);
    const before = filesOf(place.run);
    const run = await resumeRun(place.run);
    await finish(run, manifest);
    await run.close();
    expect(filesOf(place.run)).toEqual(before);
  });

  it('refuses a replayed row that differs by one bit', async () => {
    const run = await createRunFolder(place.run, manifest);
    await run.writeTheta(0, thetaOf(0, run.layout.size));
    await run.close();
    const resumed = await resumeRun(place.run);
    const theta = thetaOf(0, resumed.layout.size);
    new Uint8Array(theta.buffer)[4]! ^= 1;
    await expect(resumed.writeTheta(0, theta)).rejects.toThrow(/row 0 of theta/);
    await resumed.close();
  });

  it('cuts off what a power loss left of the last line', async () => {
    const whole = join(place.parent, 'whole');
    await completeRun(whole, manifest);
    const run = await createRunFolder(place.run, manifest);
    await run.writeTheta(0, thetaOf(0, run.layout.size));
    await run.flush();
    const length = readFileSync(join(place.run, 'journal')).length;
    await run.writeTheta(1, thetaOf(1, run.layout.size));
    await run.close();
    const journal = readFileSync(join(place.run, 'journal'));
    for (const kept of [length + 1, length + 60, journal.length - 1]) {
      writeFileSync(join(place.run, 'journal'), journal.subarray(0, kept));
      const torn = await resumeRun(place.run);
      expect(torn.status.rows).toBe(1);
      await torn.close();
    }
    writeFileSync(
      join(place.run, 'journal'),
      Buffer.concat([journal.subarray(0, length), Buffer.alloc(500)]),
    );
    const zeros = await resumeRun(place.run);
    await finish(zeros, manifest);
    await zeros.close();
    expect(lastingOf(place.run)).toEqual(lastingOf(whole));
  });

  it('is refused where the journal was changed before its end', async () => {
    await completeRun(place.run, manifest);
    const journal = readFileSync(join(place.run, 'journal'));
    journal[100] = journal[100]! ^ 1;
    writeFileSync(join(place.run, 'journal'), journal);
    await expect(resumeRun(place.run)).rejects.toThrow(/line 1 was changed/);
    expect(existsSync(join(place.run, 'lock'))).toBe(false);
  });
});

describe('what must not be stored', () => {
  it('is a row that is not finite, named by tensor and index', async () => {
    const run = await createRunFolder(place.run, manifest);
    const theta = thetaOf(2, run.layout.size);
    theta[4201] = NaN;
    const error: unknown = await run.writeTheta(2, theta).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(NumericError);
    expect((error as NumericError).location).toEqual({ iteration: 2, tensor: 'fc1.bias', index: 1 });
    await run.close();
  });

  it('is a segment with a loss that is not finite', async () => {
    const run = await createRunFolder(place.run, manifest);
    const { rows } = segmentOf(manifest, 0);
    const segment = { segment: 0, rows: rows.map((row) => ({ ...row, loss: [1, NaN] })) };
    await expect(run.commitSegment(segment)).rejects.toBeInstanceOf(NumericError);
    await run.close();
  });

  it('is a segment with other numbers, a row beyond the end, θ of another length, an incomplete training', async () => {
    const run = await createRunFolder(place.run, manifest);
    for (const row of [0, 1]) await run.writeTheta(row, thetaOf(row, run.layout.size));
    await run.commitSegment(segmentOf(manifest, 0));
    await run.commitSegment(segmentOf(manifest, 0));
    const other = { ...segmentOf(manifest, 1), segment: 0 };
    await expect(run.commitSegment(other)).rejects.toThrow(/stored with other numbers/);
    expect(run.status.segments).toBe(1);
    await expect(run.commitSegment({ ...other, segment: T })).rejects.toThrow(StoreError);
    await expect(run.writeTheta(T + 1, thetaOf(0, run.layout.size))).rejects.toThrow(StoreError);
    await expect(run.writeTheta(0, new Float32Array(3))).rejects.toThrow(/3 entries/);
    await expect(run.finishTraining({ order: [] })).rejects.toThrow(/theta \(rows\) has 2 entries/);
    await run.close();
  });

  it('is an order of other extents', async () => {
    const run = await createRunFolder(place.run, manifest);
    for (let row = 0; row <= T; row++) await run.writeTheta(row, thetaOf(row, run.layout.size));
    await expect(run.finishTraining({ order: [orderRow(0, 5)] })).rejects.toThrow(
      /order \(rows\) has 1 entries/,
    );
    await expect(run.finishTraining({ order: [orderRow(0, 4)] })).rejects.toThrow(/order has 4 entries/);
    expect(run.status.trained).toBe(false);
    await run.close();
  });
});

describe('a file that cannot be written', () => {
  it('is told, and what is stored stays valid', async () => {
    const run = await createRunFolder(place.run, manifest);
    await run.writeTheta(0, thetaOf(0, run.layout.size));
    await run.flush();
    const path = join(place.run, 'ledger.zarr/theta/c/1/0');
    mkdirSync(path, { recursive: true });
    await run.writeTheta(1, thetaOf(1, run.layout.size));
    const error: unknown = await run.flush().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ tag: 'store', exitCode: 2 });
    expect(String(error)).toMatch(/could not write .*theta.c.1.0[^]*the folder that is in its place/);
    await expect(run.writeTheta(2, thetaOf(2, run.layout.size))).rejects.toBe(error);
    await expect(run.close()).rejects.toBe(error);

    rmSync(path, { recursive: true });
    const resumed = await resumeRun(place.run);
    expect(resumed.status.rows).toBe(1);
    await finish(resumed, manifest);
    await resumed.close();
    expect((await openRun(place.run)).status.sealed).toBe(true);
  });
});

describe('the estimate of bytes', () => {
  it('is an upper bound that is not far off', async () => {
    await completeRun(place.run, manifest);
    const wide = smallManifest(40, {}, [{ name: 'w', shape: [50, 100], layer: 'l', neuronAxis: 0 }]);
    const folder = join(place.parent, 'wide');
    await completeRun(folder, wide);
    const used = [...filesOf(folder)].reduce((total, [, bytes]) => total + bytes.length, 0);
    expect(estimateBytes(wide)).toBeGreaterThan(used);
    expect(estimateBytes(wide)).toBeLessThan(1.4 * used);
  });
});
