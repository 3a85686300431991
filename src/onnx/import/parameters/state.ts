/** A tensor that PyTorch's layers keep beside a parameter, and move by themselves: a buffer, by its name alone. */
export type LayerState = 'vectors of spectral normalisation' | 'masks of pruning';

/**
 * What a name is of, where it is a buffer of `spectral_norm` or of pruning, old ones (`weight_u` beside `weight_orig`, as weight normalisation has its
 * `weight_v` beside `weight_g`) and parametrisations; null: of none. `isThere` says whether the file has a tensor of a name.
 */
export function layerState(name: string, isThere: (name: string) => boolean): LayerState | null {
  if (/(^|\.)parametrizations\.\w+\.\d+\._[uv]$/.test(name)) return 'vectors of spectral normalisation';
  const [, front, kind] = /^(.+)_([uv]|mask)$/.exec(name) ?? [];
  if (front === undefined || !isThere(`${front}_orig`)) return null;
  return kind === 'mask' ? 'masks of pruning' : 'vectors of spectral normalisation';
}
