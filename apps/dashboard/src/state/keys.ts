import { type Mode, viewNames } from './names';
import { session } from './session.svelte';

const modes: readonly Mode[] = ['cumulative', 'instant', 'window'];

function nextMode(): void {
  session.mode = modes[(modes.indexOf(session.mode) + 1) % modes.length]!;
}

/** What keys do on every screen, by their name. */
const actions: Readonly<Record<string, (shift: boolean) => void>> = {
  ' ': () => (session.playing = !session.playing),
  ArrowLeft: (shift) => { session.moveTo(session.t - (shift ? 10 : 1)); },
  ArrowRight: (shift) => { session.moveTo(session.t + (shift ? 10 : 1)); },
  Home: () => { session.moveTo(0); },
  End: () => { session.moveTo(Infinity); },
  m: nextMode,
  M: nextMode,
  '[': () => { session.brush(session.t, Math.max(session.t, session.window[1] - 1)); },
  ']': () => { session.brush(Math.min(session.window[0], session.t), session.t); },
}; // prettier-ignore

/** Does what a key is for; keys that a control under the focus needs are left to it. */
export function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target as HTMLElement;
  if (target.closest('input:not([type=range]), textarea, select, [role=grid]')) return;
  if (target.closest('button') && (event.key === ' ' || event.key === 'Enter')) return;
  const view = /^[1-6]$/.test(event.key) ? viewNames[Number(event.key) - 1] : undefined;
  if (view !== undefined) session.view = view;
  else if (actions[event.key]) actions[event.key]!(event.shiftKey);
  else return;
  event.preventDefault();
}
