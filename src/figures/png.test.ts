import { describe, expect, it } from 'vitest';
import { syntheticView } from '../../test/support/synthetic-view.js';
import { analyseRun } from '../analysis/index.js';
import { drawFigures } from './index.js';
import { renderPng } from './png.js';

describe('PNG', () => {
  it('has the size of the figure times the scale', async () => {
    const analysis = await analyseRun(syntheticView({ segments: 10 }));
    const figure = drawFigures(analysis, { theme: 'dark' })[0]!;
    const png = Buffer.from(renderPng(figure, 1));
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    const [, height] = /viewBox="\S+ \S+ \S+ (\S+)"/.exec(figure.svg)!;
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([464, Number(height)]);
  });
});
