import { resolve } from 'node:path';
import { fitLabels } from '../../data/labels.js';
import { datasetNames, readDataset } from '../../data/load.js';
import type { Examples, RawDataset } from '../../data/types.js';
import { inputRange, rangeReadings } from '../../data/user/ranges.js';
import type { ReadAs } from '../../data/user/sets.js';
import { UsageError } from '../../errors.js';
import { inputScaling, type Reading } from '../../formats/reading.js';
import type { Model } from '../../models/types.js';
import type { RunConfig } from '../config/schema.js';
import { withInputShape } from '../loss/inputs.js';
import { labelUse } from '../loss/loss.js';

/** An entry of `measure`: a set of the data, or examples of the user's own under a name. */
export interface MeasuredEntry {
  readonly name: string;
  /** Where the examples are; null: a set of the run's data. */
  readonly place: string | null;
}

/** Reads an entry of `measure`: `test`, or `mine=other.npz`. */
export function measuredEntry(entry: string): MeasuredEntry {
  const at = entry.indexOf('=');
  return at < 0
    ? { name: entry, place: null }
    : { name: entry.slice(0, at).trim(), place: entry.slice(at + 1).trim() };
}

/** The names of what a configuration measures, in its order; none: the usual sets. */
export function measuredNames({ measure }: Pick<RunConfig, 'measure'>): string[] | null {
  return measure?.map((entry) => measuredEntry(entry).name) ?? null;
}

/** An entry with a whole path, one that is not taken from `base`. */
export function withWholePlace(entry: string, base = '.'): string {
  const { name, place } = measuredEntry(entry);
  if (place === null || datasetNames.includes(place)) return entry;
  return `${name}=${place.split(',').map((path) => resolve(base, path)).join(',')}`; // prettier-ignore
}

/** The entries with those of `moved` that have the same name in their places. Throws UsageError for a name that is not measured. */
export function withMovedPlaces(measure: RunConfig['measure'], moved: readonly string[]): string[] | null {
  const own = (measure ?? []).filter((entry) => measuredEntry(entry).place !== null);
  const names = own.map((entry) => measuredEntry(entry).name);
  const stray = moved.find((entry) => !names.includes(measuredEntry(entry).name));
  if (stray !== undefined) {
    throw new UsageError({
      given: `--measure ${stray} for a run that exists`,
      expected:
        names.length === 0
          ? 'nothing: the run measures sets of its own data alone'
          : `NAME=PLACE with a name among ${names.join(', ')}`,
      remedy: 'say only where the files of an objective are now; what is measured is fixed',
    });
  }
  const places = new Map(moved.map((entry) => [measuredEntry(entry).name, withWholePlace(entry)]));
  return measure?.map((entry) => places.get(measuredEntry(entry).name) ?? entry) ?? null;
}

/**
 * The data set with the user's own examples that `measure` names as further sets, read as the data set is: labels in the same form,
 * inputs of the same type, scaled by the same transform. Throws UsageError or DataError where they do not fit.
 */
export async function withMeasuredSets(
  raw: RawDataset,
  config: RunConfig,
  model: Model,
  as: ReadAs,
): Promise<RawDataset> {
  let all = raw;
  for (const { name, place } of (config.measure ?? []).map(measuredEntry)) {
    if (place === null) continue;
    requireFreeName(raw, name, config.validation ?? raw.drawn);
    const other = fitLabels(withInputShape(await readDataset(place, { as }), model), labelUse(config, model));
    requireAlike(raw, other, config);
    all = {
      ...all,
      sets: { ...all.sets, [name]: other.pool },
      files: [...all.files, ...other.files.map((file) => ({ ...file, name: `${name}=${file.name}` }))],
      labelling: { ...all.labelling, ignored: all.labelling.ignored ?? other.labelling.ignored },
      readings: [...all.readings, ...readingsOf(name, other, raw)],
    };
  }
  return all;
}

function readingsOf(name: string, other: RawDataset, { name: data, pool }: RawDataset): Reading[] {
  const left = Object.keys(other.sets);
  const own = other.readings.filter(({ about }) => ![inputScaling, inputRange()].includes(about));
  return [
    {
      about: `objective ${name}`,
      decision: `the ${other.pool.count} training examples of ${other.name}, scaled as those of ${data}${left.length === 0 ? '' : `; ${left.join(', ')} left out`}`,
      evidence: `measure ${name}=…, as given`,
      ...(left.length === 0 ? {} : { warning: true }),
    },
    ...rangeReadings(pool, other.pool, name),
    ...own.map((reading) => ({ ...reading, about: `${reading.about} of ${name}` })),
  ];
}

function requireFreeName({ name: data, sets }: RawDataset, name: string, drawn: number): void {
  const drawnName = drawn > 0 ? ['validation'] : [];
  const taken = ['train', ...Object.keys(sets), ...drawnName];
  if (!taken.includes(name)) return;
  throw new UsageError({
    given: `measure ${name}=…, a name that a set of data set ${data} has`,
    expected: `another name than ${taken.join(', ')}`,
    remedy: 'choose a name of your own, such as mine=…',
  });
}

/** Numbers of the same kind mean the same only where they are scaled alike. */
function requireAlike(raw: RawDataset, other: RawDataset, { divisor }: RunConfig): void {
  const kindOf = (values: Examples['inputs']) =>
    values instanceof Uint8Array ? 'bytes' : values instanceof Int32Array ? 'integers' : 'floats';
  const kind = ({ pool }: RawDataset) =>
    [pool.inputs, ...(pool.further ?? []).map(({ values }) => values)].map(kindOf).join(' and ');
  if (kind(raw) !== kind(other)) {
    throw unlike(
      `${other.name} with ${kind(other)} as inputs`,
      `${kind(raw)}, as ${raw.name} has`,
      'save the inputs in the same type and scale',
    );
  }
  const divisors = ({ transform: { divisor: first, further = {} } }: RawDataset) =>
    [first, ...Object.values(further).map((input) => input.divisor)].join(' and ');
  const [own, its] = [divisors(raw), divisors(other)];
  if (divisor === null && own !== its) {
    throw unlike(
      `${other.name}, whose inputs by themselves would be divided by ${its}`,
      `inputs that are divided by ${own}, as those of ${raw.name}`,
      'save both in the same scale, or state the divisor of both (--divisor)',
    );
  }
  if (raw.labelling.classAxis !== other.labelling.classAxis || raw.classes !== other.classes) {
    throw unlike(
      `${other.name}, whose labels number other outputs`,
      `labels as those of ${raw.name}`,
      'save them alike',
    );
  }
}

function unlike(given: string, expected: string, remedy: string): UsageError {
  return new UsageError({ given: `data set ${given}`, expected, remedy });
}
