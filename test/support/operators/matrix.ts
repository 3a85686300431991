import fc from 'fast-check';
import type { Specs, Table } from './spec.js';
import { application, broadcastable, extent, flag, parameter, shapes } from './spec.js';

const matMul: Specs[] = [
  fc
    .tuple(broadcastable(2), extent, extent, extent)
    .map(([[a, b], m, k, n]) => application([parameter([...a!, m, k]), parameter([...b!, k, n])])),
  fc.tuple(shapes(1, 3), extent).map(([a, n]) => application([parameter(a), parameter([a.at(-1)!, n])])),
  fc
    .tuple(shapes(0, 2), extent, extent)
    .map(([b, k, n]) => application([parameter([k]), parameter([...b, k, n])])),
  shapes(1, 3).map((a) => application([parameter(a), parameter([a.at(-1)!])])),
];

const gemm: Specs = fc
  .record({
    m: extent,
    k: extent,
    n: extent,
    transA: flag,
    transB: flag,
    bias: fc.nat(4),
    scaled: fc.boolean(),
  })
  .map(({ m, k, n, transA, transB, bias, scaled }) => {
    const c = [null, [n], [m, 1], [m, n], []][bias];
    return application(
      [
        parameter(transA === 1 ? [k, m] : [m, k]),
        parameter(transB === 1 ? [n, k] : [k, n]),
        ...(c ? [parameter(c)] : []),
      ],
      { transA, transB, ...(scaled ? { alpha: 0.75, beta: -1.5 } : {}) },
    );
  });

const equations = [
  'bij,bjk->bik',
  'bij,kj->bk',
  'ij,jk',
  'bhqd,bhkd->bhqk',
  'i,j->ij',
  'ijk,jl->il',
  'ij->j',
  'ij->ji',
  'bqhd,bkhd->bhqk',
  'bhqk,bkhd->bqhd',
  'bhd,hed->beh',
  'hd,bhd->bd',
  'bij,bji->b',
  'bi,bj->jbi',
  'bi,bi->i',
  'bijk->kb',
];

const einsum: Specs = fc
  .tuple(fc.constantFrom(...equations), fc.array(extent, { minLength: 52, maxLength: 52 }))
  .map(([equation, extents]) => {
    const terms = equation.split('->')[0]!.split(',');
    const shape = (term: string): number[] => [...term].map((letter) => extents[letter.charCodeAt(0) - 97]!);
    return application(
      terms.map((term) => parameter(shape(term))),
      { equation },
    );
  });

export const matrix: Table = {
  MatMul: matMul,
  Gemm: [gemm],
  Einsum: [einsum],
};
