import { basename } from 'node:path';
import { sourceFile } from '../../data/files.js';
import type { SourceFile } from '../../data/types.js';
import { DataError, UsageError } from '../../errors.js';
import type { Manifest } from '../../format/manifest.js';
import { readBasis } from '../../trajectory/basis.js';
import type { RunConfig } from '../config/schema.js';
import { isBasisFile } from '../paths.js';

/** Directions by which the total is divided. */
export interface Basis {
  readonly kind: 'file' | 'principal';
  /** R */
  readonly directions: number;
  /** R vectors [K] of the file; null where they are found in the trajectory, or the run folder has them. */
  readonly rows: readonly Float64Array[] | null;
  readonly files: readonly SourceFile[];
}

/** What is known of a run that exists. */
interface StoredBasis {
  readonly manifest: Pick<Manifest, 'basis'>;
  readonly status: { readonly trained: boolean };
}

/** The basis that a configuration states; null where it states none. Throws UsageError, DataError where there is no such basis. */
export async function openBasis(
  { basis, iterations }: RunConfig,
  size: number,
  stored: StoredBasis | undefined,
): Promise<Basis | null> {
  if (basis === null) return null;
  if (!isBasisFile(basis)) return { kind: 'principal', directions: principalCount(basis, Math.min(iterations, size)), rows: null, files: [] }; // prettier-ignore
  const known = stored?.manifest.basis;
  if (known && stored.status.trained) return { ...known, rows: null };
  const rows = await readBasis(basis, size);
  const { sha256 } = await sourceFile(basis);
  const before = known?.files[0]?.sha256 ?? sha256;
  if (before === sha256) return { kind: 'file', directions: rows.length, rows, files: [{ name: basename(basis), sha256 }] }; // prettier-ignore
  throw new DataError({
    given: `basis ${basis}, which was changed`,
    expected: `SHA-256 ${before}, which the run was made with`,
    remedy: 'restore the file, or make a new run',
  });
}

/** N of `pca:N`. */
function principalCount(basis: string, most: number): number {
  const count = Number(/^pca:(\d+)$/.exec(basis)?.[1]);
  if (count >= 1 && count <= most) return count;
  throw new UsageError({
    given: `basis ${basis}`,
    expected: `pca:N with N from 1 to ${most}: a trajectory has no more principal components than steps and parameters`,
    remedy: 'state another number, or the path of a file with a basis',
  });
}
