import type { Step } from '../../src/engines/native/plan/step.js';
import type { Profile, ProfiledStep } from './profile.js';

interface Row {
  readonly name: string;
  readonly calls: number;
  /** Multiply-adds of one example. */
  readonly multiplyAdds: number;
  readonly seconds: number;
}

function rowOf(name: string, steps: readonly ProfiledStep[]): Row {
  return {
    name,
    calls: steps.length,
    multiplyAdds: steps.reduce((total, { step }) => total + step.multiplyAdds, 0),
    seconds: steps.reduce((total, { seconds }) => total + seconds, 0),
  };
}

/** Steps whose kernels have the same name count as one row, the one that takes longest first. */
function rowsOf({ steps }: Profile): Row[] {
  const names = [...new Set(steps.map(({ step }) => step.function.label))];
  return names
    .map((name) =>
      rowOf(
        name,
        steps.filter(({ step }) => step.function.label === name),
      ),
    )
    .sort((a, b) => b.seconds - a.seconds);
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** True for a step that multiplies matrices: a layer of tokens, a product of heads, a gradient of weights. */
export const isDense = (step: Step): boolean => /^(dense_|split_bytes_|product_)/.test(step.function.label);

/** One line for each kind of step, one for all dense ones and one for the whole gradient, as Markdown. */
export function rooflineTable(profile: Profile): string {
  const whole = rowOf('whole gradient', profile.steps);
  const cells = ({ name, calls, multiplyAdds, seconds }: Row): string[] => {
    const rate = (2e-9 * multiplyAdds * profile.examples) / seconds;
    return [
      name,
      String(calls),
      (multiplyAdds / 1e6).toFixed(2),
      ((1e6 * seconds) / profile.examples).toFixed(2),
      percent(seconds / whole.seconds),
      multiplyAdds > 0 ? rate.toFixed(0) : '',
      multiplyAdds > 0 ? percent(rate / profile.peak) : '',
    ];
  };
  const head = ['step', 'calls', 'M multiply-adds', 'µs', 'share of time', 'GFLOP/s', 'share of peak'];
  const dense = rowOf(
    'dense steps together',
    profile.steps.filter(({ step }) => isDense(step)),
  );
  return aligned([head, ...[...rowsOf(profile), ...(dense.calls > 0 ? [dense] : []), whole].map(cells)]);
}

/** A Markdown table, numbers to the right. */
function aligned([head, ...rows]: string[][]): string {
  const all = [head!, ...rows];
  const widths = head!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, k) => (k === 0 ? cell.padEnd(widths[k]!) : cell.padStart(widths[k]!))).join(' | ')} |`;
  const rule = `| ${widths.map((width, k) => (k === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(head!), rule, ...rows.map(line)].join('\n');
}
