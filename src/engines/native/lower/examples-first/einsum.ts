import type { Equation } from '../../../../graph/einsum.js';
import { equationOf } from '../../../../graph/einsum.js';
import type { Attributes, Node, Value } from '../../../../graph/types.js';
import { unsupported } from '../unsupported.js';
import type { Rule } from './operands.js';
import { together } from './operands.js';
import type { Place } from './place.js';
import type { Rewriting } from './rewriting.js';

/** An operand or result: axes by letters, behind that of the examples where it has them. */
interface Term {
  readonly value: Value;
  readonly letters: string;
  readonly hasExamples: boolean;
}

/** Writes nodes that stand for one. */
class Writer {
  constructor(
    readonly node: Node,
    readonly rewriting: Rewriting,
    readonly extents: ReadonlyMap<string, number>,
  ) {}

  shape(letters: string): number[] {
    return [...letters].map((letter) => this.extents.get(letter)!);
  }

  size(letters: string): number {
    return this.shape(letters).reduce((product, extent) => product * extent, 1);
  }

  apply(op: string, inputs: readonly Value[], attributes: Attributes, shape: readonly number[]): Value {
    const output = this.rewriting.fresh(inputs[0]!, shape);
    this.rewriting.nodes.push({ op, name: this.node.name, inputs, attributes, outputs: [output] });
    return output;
  }

  /** The term with its axes in another order. */
  turned({ value, letters, hasExamples }: Term, to: string): Term {
    if (to === letters) return { value, letters, hasExamples };
    const shift = hasExamples ? 1 : 0;
    const perm = [...(hasExamples ? [0] : []), ...[...to].map((letter) => letters.indexOf(letter) + shift)];
    const shape = perm.map((axis) => value.shape[axis]!);
    return { value: this.apply('Transpose', [value], { perm }, shape), letters: to, hasExamples };
  }

  /** The term in this order of axes, those of each group as one. */
  grouped(term: Term, groups: readonly string[]): Value {
    const { value, hasExamples } = this.turned(term, groups.join(''));
    const extents = groups.map((letters) => this.size(letters));
    return this.rewriting.reshaped(this.node, value, [
      ...(hasExamples ? [this.rewriting.examples] : []),
      ...extents,
    ]);
  }

  /** Sums over letters, and over the examples if `examples` says so. */
  summed({ value, letters, hasExamples }: Term, over: string, examples = false): Term {
    if (over === '' && !examples) return { value, letters, hasExamples };
    const shift = hasExamples ? 1 : 0;
    const axes = [...(examples ? [0] : []), ...[...over].map((letter) => letters.indexOf(letter) + shift)];
    const kept = [...letters].filter((letter) => !over.includes(letter)).join('');
    const shape = value.shape.filter((_, axis) => !axes.includes(axis));
    const sum = this.apply('ReduceSum', [value], { axes, keepdims: 0 }, shape);
    return { value: sum, letters: kept, hasExamples: hasExamples && !examples };
  }
}

/** Where the examples are in an equation: their letter, and how many times they lie on its axis. */
interface ExampleLetter {
  readonly letter: string;
  readonly outer: number;
}

/**
 * The letter that the examples are on, the same for all operands that have them and of none that has not. A single example may be on any such letter of
 * extent 1, preferably one of the result.
 */
function examplesOf(node: Node, { inputs, output, extents }: Equation, rewriting: Rewriting): ExampleLetter {
  const places = inputs.map((_, k) => rewriting.place(node.inputs[k]!));
  const found = inputs.flatMap((term, k) => {
    const place = places[k]!;
    return place === null ? [] : [{ letter: term[place.axis]!, outer: place.outer }];
  });
  const isOwn = (letter: string): boolean =>
    inputs.every((term, k) => term.includes(letter) === (places[k] !== null));
  if (rewriting.examples === 1) {
    const single = [...output, ...extents.keys()].find(
      (letter) => extents.get(letter) === 1 && isOwn(letter),
    );
    if (single !== undefined) return { letter: single, outer: 1 };
  }
  const [first] = found as [ExampleLetter];
  const isCommon = found.every(({ letter, outer }) => letter === first.letter && outer === first.outer);
  if (!isCommon || !isOwn(first.letter)) throw unsupported(node, together);
  return first;
}

const among = (letters: string, test: (letter: string) => boolean): string =>
  [...letters].filter(test).join('');

/** A product of two terms as one of matrices: letters of both are summed over unless the result has them. */
function product(a: Term, b: Term, output: string, isSummed: boolean, writer: Writer): Term {
  const [left, right] = a.hasExamples ? [a, b] : [b, a];
  const shared = among(left.letters, (letter) => right.letters.includes(letter));
  const batch = among(shared, (letter) => output.includes(letter));
  const inner = among(shared, (letter) => !output.includes(letter));
  const rows = among(left.letters, (letter) => !shared.includes(letter));
  const columns = among(right.letters, (letter) => !shared.includes(letter));
  const { examples } = writer.rewriting;
  const letters = batch + rows + columns;
  if (isSummed && right.hasExamples && batch === '') {
    const operands = [writer.grouped(left, [inner, rows]), writer.grouped(right, [inner, columns])];
    const sums = writer.apply('Gemm', operands, { transA: 1 }, [writer.size(rows), writer.size(columns)]);
    const value = writer.rewriting.reshaped(writer.node, sums, writer.shape(letters));
    return { value, letters, hasExamples: false };
  }
  const groups = batch === '' ? [] : [batch];
  const operands = [writer.grouped(left, [...groups, rows, inner]), writer.grouped(right, [...groups, inner, columns])]; // prettier-ignore
  const shape = [examples, ...[...groups, rows, columns].map((group) => writer.size(group))];
  const matrices = writer.apply('MatMul', operands, {}, shape);
  const value = writer.rewriting.reshaped(writer.node, matrices, [examples, ...writer.shape(letters)]);
  return writer.summed({ value, letters, hasExamples: true }, '', isSummed);
}

/**
 * Sums of products by an equation become sums, transpositions, and products of matrices. Throws EngineError where operands have the examples at
 * different letters.
 */
export const einsum: Rule = (node, rewriting) => {
  const equation = equationOf(node);
  const { inputs, output, extents } = equation;
  const { letter, outer } = examplesOf(node, equation, rewriting);
  const own = extents.get(letter)! / rewriting.examples;
  const isAlone = own === 1;
  const writer = new Writer(node, rewriting, new Map([...extents, [letter, own]]));
  const without = (letters: string): string => (isAlone ? letters.replace(letter, '') : letters);
  const wanted = without(output);
  const terms = inputs.map((all, k): Term => {
    const input = node.inputs[k]!;
    const letters = without(all);
    if (rewriting.place(input) === null) return { value: input, letters, hasExamples: false };
    const shape = [rewriting.examples, ...writer.shape(letters)];
    const value = rewriting.reshaped(node, rewriting.separate(node, input), shape);
    return { value, letters, hasExamples: true };
  });
  const isSummed = !output.includes(letter);
  const single = terms.map((term, k) => {
    const others = wanted + terms.filter((_, other) => other !== k).map(({ letters }) => letters).join(''); // prettier-ignore
    const isLast = terms.length === 1 && isSummed;
    return writer.summed(term, among(term.letters, (own) => !others.includes(own)), isLast); // prettier-ignore
  });
  const [a, b] = single;
  const result = b === undefined ? a! : product(a!, b, wanted, isSummed, writer);
  const { value } = writer.turned(result, wanted);
  const place: Place = { axis: output.indexOf(letter), outer };
  const [target] = node.outputs as [Value];
  const settled = isSummed ? target : rewriting.settle(target, place);
  const attributes = { shape: settled.shape };
  rewriting.nodes.push({ op: 'Reshape', name: node.name, inputs: [value], attributes, outputs: [settled] });
};
