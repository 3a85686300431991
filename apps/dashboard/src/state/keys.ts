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
  e: () => { session.stepEpoch(false); },
  E: () => { session.stepEpoch(true); },
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
  const view = /^[1-7]$/.test(event.key) ? viewNames[Number(event.key) - 1] : undefined;
  if (view !== undefined && !session.isBare) session.view = view;
  // Its keys are its own: no run's time moves behind it.
  else if (session.view === 'playground') return;
  else if (actions[event.key]) actions[event.key]!(event.shiftKey);
  else return;
  event.preventDefault();
}
