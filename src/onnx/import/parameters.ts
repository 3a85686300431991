import type { ExternalData } from '../tensor.js';
import { withTracedCopies } from './copies.js';
import { withOwnDuplicates } from './duplicates.js';
import type { OnnxFile } from './file.js';
import { withUnfoldedWeights } from './folded-weights.js';

/** The file with the parameters that its author declared, each by itself, in their shapes and order, as far as they can be told. */
export function withDeclaredParameters(file: OnnxFile, external?: ExternalData): OnnxFile {
  return withTracedCopies(withUnfoldedWeights(withOwnDuplicates(file, external), external), external);
}
