import type { Feed, StoredObject, Sums, Table, Tensor } from '../plan/objects.js';
import { Parameters } from '../plan/parameters.js';
import type { Step } from '../plan/step.js';
import { transpose } from '../emit/shuffle.js';
import { lines } from '../emit/text.js';
import type { Target } from '../toolchain/target.js';

/** Rows [rows, width] of a table that indices [places] of each example look up. */
export interface LookUp {
  /** Whole numbers in lanes, [places]. */
  readonly indices: Tensor;
  readonly places: number;
  readonly rows: number;
  readonly width: number;
}

/** The row of each lane; a negative index counts from the end, and one outside sets `isOutside`. */
const rowsOf = ({ rows, width }: LookUp, table: string): string => `
  const float *row[LANES];
  ints isOutside = {0};
  for (int l = 0; l < LANES; l++) {
    const float given = indices[p][l], wanted = given < 0 ? given + ${rows} : given;
    const int isInside = wanted >= 0 && wanted < ${rows};
    isOutside[l] = isInside ? 0 : -1;
    row[l] = ${table} + (isInside ? (long)wanted : 0) * ${width}L;
  }`;

/** Looks up rows of a table: [places, width] of each example. An index outside gives NaNs. */
export function lookUp(options: LookUp, table: Table, output: Tensor, target: Target): Step {
  const { indices, places, width } = options;
  const { lanes } = target;
  const parameters = new Parameters();
  const places0 = parameters.read(indices);
  const numbers = parameters.readTable(table);
  const out = parameters.write(output);
  const whole = width - (width % lanes);
  const names = Array.from({ length: lanes }, (_, l) => `r${l}`);
  const square = `for (long c = 0; c < ${whole}; c += LANES) {
      ${lines(lanes, (l) => `v r${l} = *(const unaligned_v *)(row[${l}] + c);`)}
      ${transpose(names, 'v')}
      ${lines(lanes, (l) => `y[c + ${l}] = (v)((ints)r${l} | isOutside);`)}
    }`;
  const rest = `for (long c = ${whole}; c < ${width}; c++) {
      v a;
      for (int l = 0; l < LANES; l++) a[l] = row[l][c];
      y[c] = (v)((ints)a | isOutside);
    }`;
  const body = `for (long g = 0; g < groups; g++) {
      const v *const indices = ${places0} + g * ${indices.stride};
      for (long p = low; p < high; p++) {
        v *const y = ${out} + g * ${output.stride} + p * ${width}L;
        ${rowsOf(options, numbers)}
        ${whole > 0 ? square : ''}
        ${whole < width ? rest : ''}
      }
    }`;
  const split = { parts: places, tile: 1, whole: new Set<StoredObject>() };
  return parameters.step('look_up', 'group', body, { split });
}

/** Adds the gradients [places, width] of rows that were looked up to the sums [rows, width], example by example. */
export function addToRows(
  options: LookUp,
  gradient: Tensor,
  examples: number,
  sums: Sums,
  target: Target,
): Step {
  const { indices, places, rows, width } = options;
  const { lanes } = target;
  const parameters = new Parameters();
  const places0 = parameters.read(indices);
  const dy = parameters.read(gradient);
  const to = parameters.writeSums(sums);
  const whole = width - (width % lanes);
  const square = `for (long c = 0; c < ${whole}; c += LANES) {
      v r[LANES];
      store_transposed(dy + c, r, 1);
      for (long l = 0; l < count; l++) add_sums(row[l] + c, r[l]);
    }`;
  const rest = `for (long c = ${whole}; c < ${width}; c++) for (long l = 0; l < count; l++) row[l][c] += dy[c][l];`;
  const body = `for (long g = 0; g < groups; g++) {
      const v *const indices = ${places0} + g * ${indices.stride};
      const long count = smaller(LANES, ${examples} - (first + g) * LANES);
      for (long p = 0; p < ${places}; p++) {
        const v *const dy = ${dy} + g * ${gradient.stride} + p * ${width}L;
        double *row[LANES];
        for (long l = 0; l < count; l++) {
          const float given = indices[p][l], wanted = given < 0 ? given + ${rows} : given;
          row[l] = ${to} + (wanted >= 0 && wanted < ${rows} ? (long)wanted : 0) * ${width}L;
        }
        ${whole > 0 ? square : ''}
        ${whole < width ? rest : ''}
      }
    }`;
  return parameters.step('add_to_rows', 'group', body);
}

/** Elements that indices [places] of each example pick of its own `elements`. An index outside gives a NaN. */
export function elementsAt(
  values: Tensor,
  elements: number,
  indices: Tensor,
  places: number,
  output: Tensor,
): Step {
  const parameters = new Parameters();
  const [from, at] = [parameters.read(values), parameters.read(indices)];
  const to = parameters.write(output);
  const body = `for (long g = 0; g < groups; g++) {
      const v *const x = ${from} + g * ${values.stride}, *const indices = ${at} + g * ${indices.stride};
      v *const y = ${to} + g * ${output.stride};
      for (long p = 0; p < ${places}; p++) for (int l = 0; l < LANES; l++) {
        const float k = indices[p][l];
        y[p][l] = k >= 0 && k < ${elements} ? x[(long)k][l] : NAN;
      }
    }`;
  return parameters.step('elements_at', 'group', body);
}

/** Adds gradients [places] to the elements that were picked; all others are 0. */
export function addToElements(
  gradient: Tensor,
  places: number,
  indices: Tensor,
  elements: number,
  output: Tensor,
): Step {
  const parameters = new Parameters();
  const [from, at] = [parameters.read(gradient), parameters.read(indices)];
  const to = parameters.write(output);
  const body = `for (long g = 0; g < groups; g++) {
      const v *const dy = ${from} + g * ${gradient.stride}, *const indices = ${at} + g * ${indices.stride};
      v *const dx = ${to} + g * ${output.stride};
      memset(dx, 0, sizeof(v) * ${elements});
      for (long p = 0; p < ${places}; p++) for (int l = 0; l < LANES; l++) {
        const float k = indices[p][l];
        if (k >= 0 && k < ${elements}) dx[(long)k][l] += dy[p][l];
      }
    }`;
  return parameters.step('add_to_elements', 'group', body);
}

/** Elements along an axis of each example, [outer, extent, inner], picked by indices that are known; or, added up, put back. */
export interface Picked {
  readonly outer: number;
  readonly extent: number;
  readonly inner: number;
  readonly indices: readonly number[];
}

const table = ({ indices, extent }: Picked): string =>
  `static const int places[] = {${indices.map((index) => (index < 0 ? index + extent : index)).join(', ')}};`;

/** [outer, indices, inner] of each example. */
export function pick(picked: Picked, input: Tensor, output: Tensor): Step {
  const { outer, extent, inner, indices } = picked;
  const parameters = new Parameters();
  const from = parameters.read(input);
  const to = parameters.write(output);
  const body = `${table(picked)}
    for (long g = 0; g < groups; g++) for (long o = 0; o < ${outer}; o++) for (long k = 0; k < ${indices.length}; k++) {
      const v *const x = ${from} + g * ${input.stride} + (o * ${extent} + places[k]) * ${inner}L;
      v *const y = ${to} + g * ${output.stride} + (o * ${indices.length} + k) * ${inner}L;
      for (long i = 0; i < ${inner}; i++) y[i] = x[i];
    }`;
  return parameters.step('pick', 'group', body);
}

/** [outer, extent, inner] of each example from the gradients of what was picked. */
export function putBack(picked: Picked, gradient: Tensor, output: Tensor): Step {
  const { outer, extent, inner, indices } = picked;
  const parameters = new Parameters();
  const from = parameters.read(gradient);
  const to = parameters.write(output);
  const body = `${table(picked)}
    for (long g = 0; g < groups; g++) {
      v *const dx = ${to} + g * ${output.stride};
      memset(dx, 0, sizeof(v) * ${outer * extent * inner}L);
      for (long o = 0; o < ${outer}; o++) for (long k = 0; k < ${indices.length}; k++) {
        const v *const dy = ${from} + g * ${gradient.stride} + (o * ${indices.length} + k) * ${inner}L;
        v *const y = dx + (o * ${extent} + places[k]) * ${inner}L;
        for (long i = 0; i < ${inner}; i++) y[i] += dy[i];
      }
    }`;
  return parameters.step('put_back', 'group', body);
}

/** Makes the loss a NaN where a fed whole number is too large for lanes of float32. */
export function checkWholeNumbers(feed: Feed, type: 'int32_t' | 'int64_t', count: number, loss: Sums): Step {
  const parameters = new Parameters();
  const from = parameters.feed(feed, type);
  const to = parameters.writeSums(loss);
  const body = `for (long k = 0; k < ${count}; k++) if (${from}[k] > 16777216 || ${from}[k] < -16777216) *${to} = NAN;`;
  return parameters.step('check_whole_numbers', 'once', body);
}
