/** Themes of analyses, in the order in which they are told. */
export const themeNames = [
  'noise',
  'tails',
  'oscillation',
  'layers',
  'synchrony',
  'neurons',
  'trajectories',
  'use',
] as const;

export type ThemeName = (typeof themeNames)[number];
