import { EngineError } from '../../errors.js';
import { setSlopes, atomCount } from '../../ledger/atoms.js';
import type { Evaluated } from '../../ledger/evaluated.js';
import { layoutOf } from '../../ledger/layout.js';
import type { ParameterLayout } from '../../ledger/types.js';
import type { Want } from '../../quadrature/types.js';
import type { Answer } from './client.js';
import type { ObjectivePool } from './pool.js';
import type { Statement } from './protocol.js';

/** θ of an objective process: its tensors in the order of its statement. */
export function layoutOfStatement({ parameters }: Statement): ParameterLayout {
  return layoutOf(
    parameters.map(({ name, shape, neuronAxis, layer }) => {
      const end = name.lastIndexOf('.');
      return { name, shape, neuronAxis, layer: layer ?? (end > 0 ? name.slice(0, end) : name) };
    }),
  );
}

/** How far parts may miss their whole, relative to the size of the numbers. */
const bounds = { float32: 1e-4, float64: 1e-9 } as const;

/** Evaluates the objectives of a process at θ [K], with the slopes of their parts along directions [K]. */
export async function evaluateProcess(
  program: ObjectivePool,
  layout: ParameterLayout,
  keepsGradients: boolean,
  { theta, directions, want }: { theta: Float64Array; directions: readonly Float64Array[]; want: Want },
): Promise<Evaluated[]> {
  const answer = await program.evaluate(theta, want);
  const strips = layout.atoms.neuronAxis;
  const atoms = atomCount(strips);
  return program.statement.objectives.map(({ parts }, index) => {
    const [loss, ...partLosses] = answer.losses[index]!;
    const [gradient = new Float64Array(0), ...partGradients] = answer.gradients[index]!;
    if (parts.length === 0) return { loss: loss!, gradient };
    requireWhole(program, answer, index);
    const slopes = (want === 'loss' ? [] : directions).map((direction) => {
      const all = new Float64Array(parts.length * atoms);
      partGradients.forEach((own, part) => {
        setSlopes(all.subarray(part * atoms, (part + 1) * atoms), direction, own, strips);
      });
      return all;
    });
    const gradients = keepsGradients && want === 'gradient' ? joined(partGradients) : null;
    return { loss: loss!, gradient, parts: { losses: Float64Array.from(partLosses), slopes, gradients } };
  });
}

function joined(rows: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(rows.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const row of rows) {
    all.set(row, at);
    at += row.length;
  }
  return all;
}

/** Throws EngineError where the losses of the parts by one thing do not add up to the objective's. */
function requireWhole({ command, statement }: ObjectivePool, { losses }: Answer, index: number): void {
  const { name, parts } = statement.objectives[index]!;
  const [whole, ...own] = losses[index]!;
  for (const by of new Set(parts.map((part) => part.by))) {
    const shares = own.filter((_, k) => parts[k]!.by === by);
    const sum = shares.reduce((total, loss) => total + loss, 0);
    const size = shares.reduce((total, loss) => total + Math.abs(loss), Math.abs(whole!));
    if (!(Math.abs(sum - whole!) > bounds[statement.precision] * size)) continue;
    throw new EngineError({
      given: `objective process ${command}: parts of ${name} by ${by} whose losses add up to ${sum}, and a loss of ${whole}`,
      expected: 'parts that add up: each one’s sum of losses over the whole objective’s number of examples',
      remedy: 'divide the sums of all parts by the number of all examples',
    });
  }
}

/** How much two answers for one θ differ: losses, and gradients relative to their largest entry. Both 0: to the bit equal. */
export function differenceOf(a: Answer, b: Answer): { loss: number; gradient: number } {
  const [x, y] = [a.losses, b.losses].map((losses) => losses.flatMap((own) => [...own])) as [
    number[],
    number[],
  ];
  const loss = x.reduce((most, value, k) => Math.max(most, Math.abs(value - y[k]!)), 0);
  let [largest, most] = [0, 0];
  a.gradients.forEach((rows, o) => {
    rows.forEach((row, p) => {
      const other = b.gradients[o]![p]!;
      row.forEach((value, k) => {
        largest = Math.max(largest, Math.abs(value));
        most = Math.max(most, Math.abs(value - other[k]!));
      });
    });
  });
  return { loss, gradient: most === 0 ? 0 : most / Math.max(largest, Number.MIN_VALUE) };
}
