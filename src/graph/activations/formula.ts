/** Functions of formulas. `maximum(a, b)` passes on a NaN of b; `ifGreater(a, b, yes, no)` is `no` for a NaN. */
export type FormulaFunction =
  | 'add'
  | 'subtract'
  | 'multiply'
  | 'negate'
  | 'maximum'
  | 'exponential'
  | 'exponentialLessOne'
  | 'logarithmOfOneMore'
  | 'tanh'
  | 'errorFunction'
  | 'sigmoid'
  | 'ifGreater';

/** What a formula depends on: an activation's input, its result, and the gradient of the loss with respect to that. */
export type Variable = 'x' | 'y' | 'dy';

/** A number as a function of others, in a form that every engine can write in its own language. */
export type Formula =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'variable'; readonly name: Variable }
  | { readonly kind: 'apply'; readonly fn: FormulaFunction; readonly args: readonly Formula[] }
  /** A quotient by a known number; an engine may multiply by the reciprocal. */
  | { readonly kind: 'over'; readonly of: Formula; readonly divisor: number };

/** How a language writes formulas: T is an expression of it. */
export interface Language<T> {
  number(value: number): T;
  apply(fn: FormulaFunction, args: readonly T[]): T;
  over(of: T, divisor: number): T;
}

/** Writes a formula in a language, with the given expressions for its variables. */
export function writeFormula<T>(
  formula: Formula,
  variables: Readonly<Partial<Record<Variable, T>>>,
  language: Language<T>,
): T {
  const inner = (part: Formula): T => writeFormula(part, variables, language);
  switch (formula.kind) {
    case 'number':
      return language.number(formula.value);
    case 'variable':
      return variables[formula.name]!;
    case 'apply':
      return language.apply(formula.fn, formula.args.map(inner));
    case 'over':
      return language.over(inner(formula.of), formula.divisor);
  }
}

/** True where a formula depends on a variable. */
export function dependsOn(formula: Formula, name: Variable): boolean {
  if (formula.kind === 'over') return dependsOn(formula.of, name);
  if (formula.kind === 'apply') return formula.args.some((part) => dependsOn(part, name));
  return formula.kind === 'variable' && formula.name === name;
}

type Part = Formula | number;

const apply = (fn: FormulaFunction, ...args: readonly Part[]): Formula => ({
  kind: 'apply',
  fn,
  args: args.map((part) => (typeof part === 'number' ? { kind: 'number', value: part } : part)),
});

/** The activation's input. */
export const x: Formula = { kind: 'variable', name: 'x' };
/** The activation's result. */
export const y: Formula = { kind: 'variable', name: 'y' };
/** The gradient of the loss with respect to the activation's result. */
export const dy: Formula = { kind: 'variable', name: 'dy' };

/** a + b */
export const add = (a: Part, b: Part): Formula => apply('add', a, b);
/** a - b */
export const subtract = (a: Part, b: Part): Formula => apply('subtract', a, b);
/** a · b */
export const times = (a: Part, b: Part): Formula => apply('multiply', a, b);
/** `of` / `divisor`, a known number; engines may multiply by its reciprocal. */
export const over = (of: Formula, divisor: number): Formula => ({ kind: 'over', of, divisor });
/** -a */
export const negate = (a: Formula): Formula => apply('negate', a);
/** The larger of two; a NaN of b stays one. */
export const maximum = (a: Part, b: Part): Formula => apply('maximum', a, b);
/** e^a */
export const exponential = (a: Formula): Formula => apply('exponential', a);
/** e^a - 1, precise near 0. */
export const exponentialLessOne = (a: Formula): Formula => apply('exponentialLessOne', a);
/** log(1 + a), precise near 0. */
export const logarithmOfOneMore = (a: Formula): Formula => apply('logarithmOfOneMore', a);
/** The hyperbolic tangent. */
export const tanh = (a: Formula): Formula => apply('tanh', a);
/** erf(a) = 2/√π ∫₀ᵃ e^(-t²) dt */
export const errorFunction = (a: Formula): Formula => apply('errorFunction', a);
/** 1 / (1 + e^-a) without overflow. */
export const sigmoid = (a: Formula): Formula => apply('sigmoid', a);
/** `yes` where a > b, else `no`; what is not chosen may be infinite or NaN. */
export const ifGreater = (a: Part, b: Part, yes: Part, no: Part): Formula =>
  apply('ifGreater', a, b, yes, no);
/** a within [min, max]; a NaN stays one. */
export const clipped = (a: Formula, min: number, max: number): Formula =>
  ifGreater(min, a, min, ifGreater(a, max, max, a));
