import type { Component } from 'svelte';
import type { ViewName } from '../state/names';

/** The screens that are not there at first, by what loads them. */
export const screens = {
  microscope: () => import('./Microscope.svelte'),
  neurons: () => import('./Neurons.svelte'),
  moments: () => import('./Moments.svelte'),
  book: () => import('./Book.svelte'),
  compare: () => import('./Compare.svelte'),
  playground: () => import('../playground/Playground.svelte'),
} satisfies Record<Exclude<ViewName, 'overview'>, () => Promise<{ default: Component }>>;
