import type { ScaleKind } from '../draw/colours';
import { type Focus, type Mode, type Pin, type Sorting, sortings, type ViewName, viewNames } from './names';

/** What the address of the page holds, so that it can be shared. */
export interface Address {
  readonly chosen?: number;
  readonly view?: ViewName;
  readonly objectiveName?: string;
  readonly t?: number;
  readonly mode?: Mode;
  readonly window?: readonly [number, number];
  readonly pins?: readonly Pin[];
  readonly search?: string;
  readonly entity?: string;
  readonly sorting?: Sorting;
  readonly isTurned?: boolean;
  readonly focus?: Focus | null;
  readonly scale?: ScaleKind;
  readonly strongest?: boolean;
  readonly fixed?: number | null;
}

const kinds = { p: 'parameter', n: 'neuron', l: 'layer' } as const;
/** What stands where an address says nothing. */
export const usual = {
  view: 'overview', objectiveName: '', mode: 'cumulative', window: [0, 1], pins: [], search: '', entity: 'layer', sorting: 'total',
  isTurned: false, focus: null, scale: 'root', strongest: false, fixed: null,
} as const satisfies Address; // prettier-ignore

const modes: readonly Mode[] = ['cumulative', 'instant', 'window'];

/** Reads the part of the address behind `#`; what does not fit is left out. */
export function readAddress(hash = location.hash): Address {
  const query = new URLSearchParams(hash.replace(/^#/, ''));
  const number = (name: string) =>
    /^\d{1,9}$/.test(query.get(name) ?? '') ? Number(query.get(name)) : undefined;
  const window = /^(\d{1,9})-(\d{1,9})$/.exec(query.get('w') ?? '');
  const focus = /^(\d{1,9})-(\d{1,6}(?:\.\d{1,4})?)$/.exec(query.get('at') ?? '');
  const range = Number(query.get('range') ?? NaN);
  const pins = [...(query.get('pins') ?? '').matchAll(/([pnl])(\d{1,9})/g)];
  const found = {
    chosen: number('run'),
    view: viewNames.find((name) => name === query.get('view')),
    objectiveName: query.get('objective') ?? undefined,
    t: number('t'),
    mode: modes.find((name) => name === query.get('mode')),
    window: window && Number(window[1]) < Number(window[2]) ? ([Number(window[1]), Number(window[2])] as const) : undefined, // prettier-ignore
    pins:
      pins.length > 0
        ? pins.slice(0, 8).map(([, kind, index]) => ({ kind: kinds[kind as 'p'], index: Number(index) }))
        : undefined,
    search: query.get('find') ?? undefined,
    entity: query.get('by') ?? undefined,
    sorting: sortings.find((name) => name === query.get('sort')),
    isTurned: query.has('turned') ? true : undefined,
    focus: focus ? { index: Number(focus[1]), cell: Number(focus[2]) } : undefined,
    scale: query.get('scale') === 'linear' ? ('linear' as const) : undefined,
    strongest: query.has('strongest') ? true : undefined,
    fixed: range > 0 && range < Infinity ? range : undefined,
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

let pending: ReturnType<typeof setTimeout> | null = null;
let text = '';
/** Run and screen of the entry of the browser's history that is shown; null: nothing was written yet. */
let entry: string | null = null;

const entryOf = ({ chosen = 0, view = usual.view }: Address): string => `${chosen} ${view}`;

/** Calls back when the address became another one by Back, Forward, or by hand. */
export function onAddress(follow: () => void): void {
  addEventListener('popstate', () => {
    if (pending !== null) clearTimeout(pending);
    pending = null;
    entry = entryOf(readAddress());
    follow();
  });
}

/**
 * Writes it: another run or screen as an entry of the history, to which Back leads; all else in place, a few times a second at most, since
 * browsers allow no more.
 */
export function writeAddress(address: Address): void {
  const query = new URLSearchParams();
  const set = (name: string, value: string | number | undefined, usual: string | number) => {
    if (value !== undefined && value !== usual && value !== '') query.set(name, String(value));
  };
  set('view', address.view, 'overview');
  set('run', address.chosen, 0);
  set('objective', address.objectiveName, '');
  set('t', address.t, '');
  set('mode', address.mode, 'cumulative');
  if (address.mode === 'window') set('w', address.window?.join('-'), '');
  set('pins', (address.pins ?? []).map(({ kind, index }) => `${kind[0]!}${index}`).join('.'), '');
  set('find', address.search, '');
  set('by', address.entity, 'layer');
  set('sort', address.sorting, 'total');
  set('turned', address.isTurned ? 1 : '', '');
  set('at', address.focus ? `${address.focus.index}-${Number(address.focus.cell.toFixed(3))}` : '', '');
  set('scale', address.scale, 'root');
  set('strongest', address.strongest ? 1 : '', '');
  set('range', address.fixed ?? '', '');
  const isOther = entry !== null && entry !== entryOf(address);
  // What the entry before was to hold is written before it is left.
  if (isOther && pending !== null) replace();
  [text, entry] = [query.toString(), entryOf(address)];
  if (isOther) history.pushState(null, '', here());
  else pending ??= setTimeout(replace, 300);
}

function replace(): void {
  if (pending !== null) clearTimeout(pending);
  pending = null;
  history.replaceState(null, '', here());
}

const here = (): string => `${location.pathname}${location.search}${text === '' ? '' : `#${text}`}`;
