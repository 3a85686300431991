import type { Application } from '../application.js';
import { misfit } from '../application.js';
import { numberAttribute, stringAttribute } from '../attributes.js';
import type { Formula } from './formula.js';
import { dependsOn } from './formula.js';

/** A number with its default, or some words, the first of which is the default. */
type AttributeKind = number | readonly [string, ...string[]];
type AttributeKinds = Readonly<Record<string, AttributeKind>>;
type Given<Kinds> = { readonly [Name in keyof Kinds]: Kinds[Name] extends number ? number : string };

/** An activation function for certain attributes. */
export interface ActivationFormulas {
  /** y, of x. */
  readonly value: Formula;
  /** dx, of dy and of either x or y; 0 where dy is 0. */
  readonly gradient: Formula;
}

/** An operator of one input that ONNX has under the same name, and its whole gradient operator. */
export interface Activation {
  /** Attributes as ONNX has them. */
  readonly attributes: AttributeKinds;
  /** True where an ONNX file holds the attributes as inputs after x. */
  readonly asInputs: boolean;
  /** What the gradient operator takes after dy. */
  readonly gradientOf: 'x' | 'y';
  /** The formulas for the attributes of a node, forward or gradient. Throws GraphError where an attribute does not fit. */
  readonly formulas: (node: Application) => ActivationFormulas;
}

function attributeOf(node: Application, name: string, kind: AttributeKind): number | string {
  if (typeof kind === 'number') return numberAttribute(node, name, kind);
  const given = stringAttribute(node, name, kind[0]);
  if (!kind.includes(given)) throw misfit(node, `${name}: ${kind.join(' or ')}`);
  return given;
}

/** An activation from its attributes, with their defaults, and its formulas. */
export function activation<const Kinds extends AttributeKinds>(
  attributes: Kinds,
  formulasOf: (given: Given<Kinds>) => ActivationFormulas,
  { asInputs = false } = {},
): Activation {
  const formulas = (node: Application): ActivationFormulas =>
    formulasOf(attributesOf(node, attributes) as Given<Kinds>);
  const { gradient } = formulas({ op: '', name: '', inputs: [], attributes: {} });
  return { attributes, asInputs, formulas, gradientOf: dependsOn(gradient, 'y') ? 'y' : 'x' };
}

/** All attributes of an activation's node, or of its gradient's, defaults filled in. Throws GraphError where one does not fit. */
export function attributesOf(
  node: Application,
  kinds: AttributeKinds,
): Readonly<Record<string, number | string>> {
  return Object.fromEntries(
    Object.entries(kinds).map(([name, kind]) => [name, attributeOf(node, name, kind)]),
  );
}

/** Name of the whole gradient operator of an activation. */
export function gradientOperatorOf(name: string): string {
  return `${name}Grad`;
}
