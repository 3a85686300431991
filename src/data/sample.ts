import { fold, type Key, permutation } from '../num/random.js';
import { membersByClass, stratifiedSubset } from './split.js';
import type { Examples } from './types.js';

/** Some of a set's examples, cut into blocks of like size and like classes, each of which is a sample by itself. */
export interface Sample {
  /** Places in the set [n], ascending. */
  readonly places: Uint32Array;
  /** Block of each of them [n]. */
  readonly blockOf: Int32Array;
}

/** Draws `size` examples from the key, each class keeping its share, and deals those of each class to the blocks in random order. */
export function drawSample(examples: Examples, size: number, blocks: number, key: Key): Sample {
  const everything = Uint32Array.from({ length: examples.count }, (_, example) => example);
  const places = stratifiedSubset(examples, everything, size, fold(key, 'places'));
  const index = new Map([...places].map((place, k) => [place, k]));
  const blockOf = new Int32Array(size);
  let next = 0;
  for (const [label, members] of membersByClass(examples, places).entries()) {
    for (const k of permutation(fold(fold(key, 'blocks'), label), members.length)) {
      blockOf[index.get(members[k]!)!] = next++ % blocks;
    }
  }
  return { places, blockOf };
}
