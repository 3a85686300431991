import type { Feed, Mask, Numbers, Scratch, StoredObject, Sums, Table, Tensor } from './objects.js';
import type { Argument, KernelFunction, Rate, Step } from './step.js';

interface Entry {
  readonly object: StoredObject;
  readonly name: string;
  readonly type: string;
  written: boolean;
}

/** Words that kernels do not use for variables of their own. */
const prefixes: Readonly<Record<StoredObject['kind'], string>> = {
  tensor: 'tensor',
  table: 'table',
  sums: 'sums',
  scratch: 'scratch',
  feed: 'feed',
  mask: 'mask',
  numbers: 'numbers',
  gradient: 'gradient',
};

function isSame(a: StoredObject, b: StoredObject): boolean {
  if (a === b) return true;
  return a.kind === 'mask' && b.kind === 'mask';
}

/**
 * Collects the parameters of a kernel while its text is written. An object that is asked for twice is one parameter;
 * names count up by kind, so that equal work on other objects gives equal text.
 */
export class Parameters {
  readonly #entries: Entry[] = [];

  read(object: Tensor | Mask): string {
    return this.#name(object, 'v', false);
  }

  write(object: Tensor | Scratch): string {
    return this.#name(object, 'v', true);
  }

  readTable(object: Table): string {
    return this.#name(object, 'float', false);
  }

  writeTable(object: Table): string {
    return this.#name(object, 'float', true);
  }

  readSums(object: Sums): string {
    return this.#name(object, 'double', false);
  }

  writeSums(object: Sums): string {
    return this.#name(object, 'double', true);
  }

  numbers(object: Numbers): string {
    return this.#name(object, 'double', false);
  }

  writeNumbers(object: Numbers): string {
    return this.#name(object, 'double', true);
  }

  /** Numbers in double that belong to no example. */
  readArray(object: Numbers | Sums): string {
    return object.kind === 'sums' ? this.readSums(object) : this.numbers(object);
  }

  writeArray(object: Numbers | Sums): string {
    return object.kind === 'sums' ? this.writeSums(object) : this.writeNumbers(object);
  }

  feed(object: Feed, type: string): string {
    return this.#name(object, type, false);
  }

  /** The caller's gradient [K], in double. */
  gradient(offset: number): string {
    return this.#name({ kind: 'gradient', offset }, 'double', true);
  }

  #name(object: StoredObject, type: string, written: boolean): string {
    const known = this.#entries.find((entry) => isSame(entry.object, object));
    if (known) {
      known.written ||= written;
      return known.name;
    }
    const count = this.#entries.filter((entry) => entry.object.kind === object.kind).length;
    const name = `${prefixes[object.kind]}${count}`;
    this.#entries.push({ object, name, type, written });
    return name;
  }

  /** The step that calls a function with these parameters. */
  step(
    label: string,
    rate: Rate,
    body: string,
    { multiplyAdds = 0, split = null }: Partial<Pick<Step, 'multiplyAdds' | 'split'>> = {},
  ): Step {
    const declared = this.#entries.map(
      ({ type, name, written }) => `${written ? '' : 'const '}${type} *${name}`,
    );
    const kernel: KernelFunction = { label, parameters: declared.join(', '), body };
    const args: Argument[] = this.#entries.map(({ object, written }) => ({
      object,
      access: written ? 'write' : 'read',
    }));
    return { rate, function: kernel, arguments: args, multiplyAdds, split };
  }
}
