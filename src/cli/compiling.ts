import { subscribe } from 'node:diagnostics_channel';
import { type Compilation, compilations } from '../engines/native/toolchain/compilations.js';
import { say } from './output.js';

/** Seconds of compiling after which it is mentioned. */
const patience = 3;

/** From now on says, once, that the network is being compiled, where that takes long: until it is done nothing else can be said. */
export function sayWhatCompiles(): void {
  let isSaid = false;
  subscribe(compilations, (message) => {
    const timer = setTimeout(() => {
      if (!isSaid)
        say('compiling the network for this processor; what is compiled is kept for the next time');
      isSaid = true;
    }, 1000 * patience);
    timer.unref();
    const stop = (): void => clearTimeout(timer);
    (message as Compilation).done.then(stop, stop);
  });
}
