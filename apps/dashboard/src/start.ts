import { mount } from 'svelte';
import App from './App.svelte';
import { screens } from './views/screens';
import { session } from './state/session.svelte';

/** What is shown first has so long to itself. */
const quietMilliseconds = 1500;

/** Puts the page where its shell stood, in one step, once there is something to show. */
async function start(): Promise<void> {
  await session.start();
  const target = document.getElementById('app')!;
  target.replaceChildren();
  mount(App, { target });
  // The other screens are there when they are asked for.
  setTimeout(() => {
    for (const name of ['microscope', 'neurons', 'moments', 'book', 'compare'] as const)
      screens[name]().catch(() => undefined);
  }, quietMilliseconds);
}

void start();
