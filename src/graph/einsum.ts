import type { Application } from './application.js';
import { misfit } from './application.js';
import { stringAttribute } from './attributes.js';

/** An Einsum equation with one letter per axis: no spaces, no ellipsis, explicit result. */
export interface Equation {
  readonly inputs: readonly string[];
  readonly output: string;
  readonly extents: ReadonlyMap<string, number>;
}

const alphabet = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'];

function expandEllipsis(terms: readonly string[], ranks: readonly number[]): readonly [string[], string] {
  const free = alphabet.filter((letter) => !terms.some((term) => term.includes(letter)));
  const hidden = terms.map((term, k) => (term.includes('...') ? ranks[k]! - (term.length - 3) : 0));
  const most = free.slice(0, Math.max(0, ...hidden));
  const expanded = terms.map((term, k) =>
    term.replace('...', most.slice(most.length - Math.max(0, hidden[k]!)).join('')),
  );
  return [expanded, most.join('')];
}

/** Einsum without an arrow: the letters that occur once, in alphabetical order, after the ellipsis. */
function implicitOutput(terms: readonly string[], ellipsis: string): string {
  const letters = [...terms.join('')].filter((letter) => !ellipsis.includes(letter));
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter));
  return ellipsis + once.sort().join('');
}

function letterExtents(node: Application, terms: readonly string[]): Map<string, number> {
  const extents = new Map<string, number>();
  for (const [k, term] of terms.entries()) {
    const shape = node.inputs[k]!.shape;
    if (term.length !== shape.length || new Set(term).size !== term.length) {
      throw misfit(node, `one distinct letter per axis of input ${k}, not "${term}"`);
    }
    for (const [axis, letter] of [...term].entries()) {
      const known = extents.get(letter);
      if (known !== undefined && known !== shape[axis]) {
        throw misfit(node, `one extent for letter ${letter}, not ${known} and ${shape[axis]!}`);
      }
      extents.set(letter, shape[axis]!);
    }
  }
  return extents;
}

/**
 * Attribute `equation` of an Einsum node, resolved and checked against its inputs. Throws GraphError where it does not
 * fit them.
 */
export function equationOf(node: Application): Equation {
  const [left = '', right] = stringAttribute(node, 'equation').replaceAll(' ', '').split('->');
  const terms = left.split(',');
  if (terms.length !== node.inputs.length) throw misfit(node, 'one term of the equation per input');
  const [inputs, ellipsis] = expandEllipsis(
    terms,
    node.inputs.map((value) => value!.shape.length),
  );
  const output = right === undefined ? implicitOutput(inputs, ellipsis) : right.replace('...', ellipsis);
  const extents = letterExtents(node, inputs);
  if (new Set(output).size !== output.length || [...output].some((letter) => !extents.has(letter))) {
    throw misfit(node, `a result of distinct letters of the inputs, not "${output}"`);
  }
  return { inputs, output, extents };
}
