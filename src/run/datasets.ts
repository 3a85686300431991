import { datasetNames, loadDataset } from '../data/load.js';
import { isLossledgerError } from '../errors.js';

export { addDataset } from '../data/add/index.js';
export { datasetNames } from '../data/load.js';

export interface DatasetStatus {
  readonly name: string;
  /** Whether it is on this machine, whole and with the right checksums. */
  readonly here: boolean;
  readonly description: string;
}

/** Looks for every known data set and checks its files. */
export async function datasetStatuses(): Promise<DatasetStatus[]> {
  return Promise.all(datasetNames.map(datasetStatus));
}

async function datasetStatus(name: string): Promise<DatasetStatus> {
  try {
    const { splits, classes } = await loadDataset(name, { seed: 1 });
    const { train, validation, test } = splits;
    const counts = [train, validation, test].map((set) => (set?.count ?? 0).toLocaleString('en')).join(' / ');
    return {
      name,
      here: true,
      description: `${counts} examples (train / validation / test), ${classes} classes, shape [${train.shape.join(', ')}]`,
    };
  } catch (error) {
    if (!isLossledgerError(error)) throw error;
    return { name, here: false, description: `${error.problem.given}; ${error.problem.remedy}` };
  }
}
