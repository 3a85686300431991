import { PickleGlobal, PickleObject, PickleReference, type PickleValue } from './pickle.js';
import { misfit } from '../source.js';

/** Containers within containers, and places in all, on the way to tensors. */
const maxDepth = 256;
const maxPlaces = 2 ** 20;

/** Values that may hold others. */
type Container = Exclude<PickleValue, null | boolean | number | bigint | string | Uint8Array>;

/** Name of what an object was made by. */
export const nameOfGlobal = (value: PickleValue): string =>
  value instanceof PickleGlobal ? value.name : 'unknown';

/** The call that made a tensor, inside those that made it a parameter or one of another class; null for anything else. */
export function tensorCall(value: PickleValue): PickleObject | null {
  if (!(value instanceof PickleObject)) return null;
  const { made, args } = value;
  const name = nameOfGlobal(made);
  if (/^torch\._utils\._rebuild_tensor/.test(name)) return value;
  if (!Array.isArray(args)) return null;
  if (/^torch\._utils\._rebuild_parameter/.test(name)) return tensorCall(args[0] ?? null);
  if (name !== 'torch._tensor._rebuild_from_type_v2') return null;
  return tensorCall(new PickleObject(args[0] ?? null, args[2] ?? null));
}

/** What is visited of a table. */
export interface Visited {
  /** The call that made what is looked for, null for anything else. */
  readonly sought: (value: PickleValue) => PickleObject | null;
  /** The same of what is visited where it stands in one dictionary, list or object with what is looked for. */
  readonly beside?: (value: PickleValue) => PickleObject | null;
}

/**
 * Visits all tensors in dictionaries, lists and objects of a table, with the keys that lead there, joined by dots. What is held in several
 * places is visited in each: a model that is still the best one has both names. What holds itself is visited once. Whatever else stands in
 * the table costs no more than a look at it. Throws DataError, naming `file`, where tensors lie too deep or in too many places.
 */
export function visitTensors(
  root: PickleValue,
  file: string,
  { sought, beside = () => null }: Visited,
  visit: (path: string, tensor: PickleObject) => void,
): void {
  const leading = holdersOf(root, sought);
  const around = new Set<PickleValue>();
  let places = 0;
  const step = (value: Container, path: string, depth: number): void => {
    if (around.has(value)) return;
    if (depth > maxDepth) throw tooMuch(file, `tensors below more than ${maxDepth} dictionaries and lists`);
    if (++places > maxPlaces) throw tooMuch(file, `tensors in more than ${maxPlaces} places`);
    const tensor = sought(value) ?? beside(value);
    if (tensor !== null) {
      visit(path, tensor);
      return;
    }
    around.add(value);
    const children = [...childrenOf(value)];
    const holdsOne = children.some(([, child]) => sought(child) !== null);
    for (const [key, child] of children) {
      if (leading.has(child) || (holdsOne && beside(child) !== null))
        step(child, path === '' ? key : `${path}.${key}`, depth + 1);
    }
    around.delete(value);
  };
  if (isContainer(root) && leading.has(root)) step(root, '', 0);
}

/** Numbers in the outermost dictionary of a table, and in one called `meta` there, by their keys. */
export function plainNumbers(root: PickleValue): ReadonlyMap<string, number> {
  if (!(root instanceof Map)) return new Map();
  const meta = root.get('meta');
  const entries = [...(meta instanceof Map ? meta : []), ...root];
  return new Map(
    entries.flatMap(([key, value]) =>
      typeof key === 'string' && typeof value === 'number' ? [[key, value] as const] : [],
    ),
  );
}

/** Everything that a table refers to outside itself, what no key leads to among it. */
export function referencesOf(root: PickleValue): PickleReference[] {
  const found: PickleReference[] = [];
  spread([root], (value) => {
    if (value instanceof PickleReference) found.push(value);
    if (value instanceof Map) return [...value.keys(), ...value.values()];
    if (!(value instanceof PickleObject)) return Array.isArray(value) ? value : [];
    const { args, state, entries } = value;
    return [args, state, ...entries.keys(), ...entries.values()];
  });
  return found;
}

const tooMuch = (file: string, found: string): Error =>
  misfit(
    file,
    found,
    'tensors by name, as in a state_dict',
    'save the model in a file of its own: torch.save(model.state_dict(), path)',
  );

/** Tensors, and all that keys lead from to one. Each value is looked at once, however often it is held. */
function holdersOf(root: PickleValue, sought: Visited['sought']): ReadonlySet<PickleValue> {
  const holders = new Map<PickleValue, Container[]>();
  const tensors: Container[] = [];
  spread([root], (value) => {
    if (sought(value) !== null) {
      tensors.push(value);
      return [];
    }
    const children = Array.from(childrenOf(value), ([, child]) => child);
    for (const child of children) {
      const known = holders.get(child);
      if (known === undefined) holders.set(child, [value]);
      else known.push(value);
    }
    return children;
  });
  return spread(tensors, (value) => holders.get(value) ?? []);
}

/** All containers that steps lead to from some. */
function spread(
  from: readonly PickleValue[],
  next: (value: Container) => readonly PickleValue[],
): ReadonlySet<PickleValue> {
  const reached = new Set<Container>(from.filter(isContainer));
  // What is added to a set while it is gone through is come to later.
  for (const value of reached) {
    for (const other of next(value)) if (isContainer(other)) reached.add(other);
  }
  return reached;
}

function isContainer(value: PickleValue): value is Container {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array);
}

/** Containers in a value, by the keys that lead to them. */
function* childrenOf(value: Container): Generator<readonly [string, Container]> {
  if (Array.isArray(value)) yield* numbered(value);
  else if (value instanceof Map) yield* named(value);
  else if (value instanceof PickleObject) {
    const { args, entries, state } = value;
    if (Array.isArray(args))
      yield* nameOfGlobal(value.made) === 'collections.OrderedDict' ? pairs(args) : numbered(args);
    yield* named(entries);
    // Objects with slots have two dictionaries.
    for (const part of Array.isArray(state) ? state : [state]) if (part instanceof Map) yield* named(part);
  }
}

function* numbered(values: readonly PickleValue[]): Generator<readonly [string, Container]> {
  for (const [k, child] of values.entries()) if (isContainer(child)) yield [String(k), child];
}

function* named(entries: ReadonlyMap<PickleValue, PickleValue>): Generator<readonly [string, Container]> {
  let place = 0;
  for (const [key, child] of entries) {
    if (isContainer(child)) yield [nameOfKey(key) ?? String(place), child];
    place++;
  }
}

/** Keys and values as Python 2 gives them to an ordered dictionary: a list of pairs. */
function* pairs([list]: readonly PickleValue[]): Generator<readonly [string, Container]> {
  if (!Array.isArray(list)) return;
  const entries = list.filter((pair) => Array.isArray(pair) && pair.length === 2);
  yield* named(new Map(entries as [PickleValue, PickleValue][]));
}

/** A key as part of a path, tuples by their parts; null: an object, which has no name. */
function nameOfKey(key: PickleValue): string | null {
  if (!Array.isArray(key)) return isContainer(key) || key instanceof Uint8Array ? null : String(key);
  const parts = key.map(nameOfKey);
  return parts.includes(null) ? null : parts.join('.');
}
