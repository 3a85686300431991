import fc from 'fast-check';
import type { Attributes, Shape } from '../../../src/graph/types.js';
import type { Domain } from '../samples.js';

/** Numbers that are a parameter, or a constant where so marked; or integers in [from, below) that are fed. */
export type InputSpec =
  | { readonly shape: Shape; readonly domain: Domain; readonly constant?: boolean }
  | {
      readonly shape: Shape;
      readonly dtype: 'int32' | 'int64' | 'bool';
      /** Default 0. */
      readonly from?: number;
      readonly below: number;
    };

export interface ApplicationSpec {
  readonly inputs: readonly (InputSpec | null)[];
  readonly attributes: Attributes;
  /** How many of the outputs the loss depends on; undefined means all. */
  readonly outputs?: number;
}

export type Specs = fc.Arbitrary<ApplicationSpec>;

/** Kinds of use of each operator. */
export type Table = Readonly<Record<string, readonly Specs[]>>;

export const extent = fc.integer({ min: 1, max: 4 });
export const flag = fc.constantFrom(0, 1);

export function shapes(minRank = 0, maxRank = 3): fc.Arbitrary<number[]> {
  return fc.array(extent, { minLength: minRank, maxLength: maxRank });
}

export function parameter(shape: Shape, domain: Domain = 'any'): InputSpec {
  return { shape, domain };
}

export function application(
  inputs: readonly (InputSpec | null)[],
  attributes: Attributes = {},
): ApplicationSpec {
  return { inputs, attributes };
}

/** Shapes that broadcast with each other: some leading axes left out, some extents replaced by 1. */
export function broadcastable(count: number): fc.Arbitrary<number[][]> {
  const change = fc.record({ drop: fc.nat(2), ones: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }) });
  return fc
    .tuple(shapes(), fc.array(change, { minLength: count, maxLength: count }))
    .map(([whole, changes]) =>
      changes.map(({ drop, ones }) => whole.slice(drop).map((size, axis) => (ones[axis] ? 1 : size))),
    );
}

export function unary(
  domain: Domain = 'any',
  attributes: fc.Arbitrary<Attributes> = fc.constant({}),
): Specs[] {
  return [
    fc.tuple(shapes(), attributes).map(([shape, given]) => application([parameter(shape, domain)], given)),
  ];
}

export function binary(domain: Domain = 'any', second: Domain = domain): Specs[] {
  return [broadcastable(2).map(([a, b]) => application([parameter(a!, domain), parameter(b!, second)]))];
}

/** A shape of at least one axis with one of its axes, counted from the front or the back. */
export const shapeAndAxis = shapes(1, 3).chain((shape) =>
  fc.tuple(fc.constant(shape), fc.integer({ min: -shape.length, max: shape.length - 1 })),
);
