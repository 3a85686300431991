import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take longest, by what their path begins with. Begun last, one of them would run alone at the end; what mostly waits leaves the cores to others. */
const longest = [
  'test/cluster',
  'test/replay',
  'test/golden',
  'test/cli',
  'test/invariant',
  'test/torture',
  'src/run',
  'src/format/verify',
  'test',
];

/** Begins with the files that take longest, whether or not times of an earlier run are known. */
export class LongestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const root = `${this.ctx.config.root}/`;
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = longest.findIndex((start) => moduleId.slice(root.length).startsWith(start));
      return at < 0 ? longest.length : at;
    };
    return Promise.resolve([...files].sort((a, b) => rank(a) - rank(b)));
  }
}
