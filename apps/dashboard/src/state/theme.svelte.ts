import { type Palette, palettes, themeOf } from '../draw/colours';
import { session } from './session.svelte';
import { system } from './system.svelte';

/** The colours in force; reading one makes what is drawn follow the theme. */
export const palette: Palette = new Proxy(palettes.light, {
  get: (_, name) => palettes[themeOf(session.theme, system.prefersDark)][name as keyof Palette],
});

/** A colour for each of several layers: apart while there are few, along a ramp of hue where there are many. */
export function layerColours(count: number): string[] {
  const { series } = palette;
  if (count <= series.length) return series.slice(0, count);
  const isDark = themeOf(session.theme, system.prefersDark) === 'dark';
  return Array.from(
    { length: count },
    (_, k) => `hsl(${Math.round((k / count) * 300)} 55% ${(isDark ? 62 : 38) + (k % 2) * 8}%)`,
  );
}
