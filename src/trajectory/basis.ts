import { isFloat } from '../formats/array.js';
import { misfit } from '../formats/source.js';
import { dot, firstNonFinite } from '../num/sums.js';
import { openTensorFile } from './tensor-file.js';

/** How far rows may be from orthonormal: they may have been rounded to float32. */
const tolerance = 1e-5;

/**
 * Reads an orthonormal basis, or a part of one: R vectors [K] in the order of θ, of a file with one array [R, K] of floats. Throws DataError where
 * there is another number of arrays, or rows are not orthonormal.
 */
export async function readBasis(path: string, size: number): Promise<Float64Array[]> {
  const file = await openTensorFile(path);
  try {
    const expected = `one array [R, ${size}] of floats, a direction a row, in the order of θ`;
    const [found, ...others] = [...file.entries];
    if (found === undefined || others.length > 0) {
      throw misfit(path, `${file.entries.size} arrays`, expected, 'save the basis alone');
    }
    const [name, { shape, dtype, storedType }] = found;
    if (shape.length !== 2 || shape[0] === 0 || shape[1] !== size || dtype === null || !isFloat(dtype)) {
      throw misfit(path, `${storedType} [${shape.join(', ')}]`, expected, 'save it so');
    }
    const data = Float64Array.from((await file.read(name)).data as ArrayLike<number>);
    const rows = Array.from({ length: shape[0]! }, (_, r) => data.subarray(r * size, (r + 1) * size));
    requireOrthonormal(path, rows);
    return rows;
  } finally {
    await file.close();
  }
}

function requireOrthonormal(path: string, rows: readonly Float64Array[]): void {
  for (const [r, row] of rows.entries()) {
    if (firstNonFinite(row) >= 0) throw misfit(path, `row ${r} with numbers that are not finite`, 'finite numbers', 'correct it'); // prettier-ignore
    for (let s = 0; s <= r; s++) {
      const product = dot(rows[s]!, row);
      if (Math.abs(product - (r === s ? 1 : 0)) <= tolerance) continue;
      const what = r === s ? `row ${r} of length ${Math.sqrt(product)}` : `rows ${s} and ${r}, whose product is ${product}`; // prettier-ignore
      throw misfit(
        path,
        what,
        'orthonormal rows: length 1, and products 0',
        'orthonormalise them, as numpy.linalg.qr(basis.T)[0].T does',
      );
    }
  }
}
