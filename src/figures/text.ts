/** Control, format and surrogate code points: invalid in XML, or able to disturb a terminal or the direction of text. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029\ufffe\uffff]/gu;

/** Names come from users' files: what cannot be printed safely becomes U+FFFD. */
export function printable(text: string): string {
  return text.replace(unprintable, '\ufffd');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text that is safe between tags and in quoted attributes of HTML and XML. */
export function escapeMarkup(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => entities[character]!);
}

/** Prose whose numbers stay on one line with their unit. */
export function withUnits(text: string): string {
  return text.replace(/([\d⁰¹²³⁴⁵⁶⁷⁸⁹]) (?=%|nats)/g, '$1\u00a0');
}

/** Shortens to `length` characters with an ellipsis in the middle. Names that stand together: `shortNames`. */
export function shorten(text: string, length: number): string {
  const characters = [...printable(text)];
  if (characters.length <= length) return characters.join('');
  const head = Math.ceil((length - 1) / 2);
  const tail = length - 1 - head;
  return `${characters.slice(0, head).join('')}…${tail > 0 ? characters.slice(-tail).join('') : ''}`;
}

/** A name's parts, each with the separator that ends it: `encoder.`, `0.`, `weight`. */
const partsOf = (name: string): string[] => name.split(/(?<=[./_:])/);

/** How many parts all names begin with; each keeps its last one. */
function commonParts(names: readonly (readonly string[])[]): number {
  const limit = Math.min(...names.map((parts) => parts.length - 1));
  let count = 0;
  while (count < limit && names.every((parts) => parts[count] === names[0]![count])) count++;
  return count;
}

/** Leading parts become initials until the name fits (`e.l.0.attention.query`), numbers stay; then its middle goes. */
function abbreviate(parts: readonly string[], length: number): string {
  const kept = [...parts];
  const size = (): number => [...kept.join('')].length;
  for (let i = 0; i < kept.length - 1 && size() > length; i++) {
    const part = kept[i]!;
    if (part.length > 2 && !/\d/.test(part)) kept[i] = `${[...part][0]!}${part.at(-1)!}`;
  }
  return shorten(kept.join(''), length);
}

/**
 * Names of one list in at most `length` characters, so that they can still be told apart: what all begin with becomes an ellipsis,
 * leading parts become initials, and names that would look alike end in their number in the list, from 1.
 */
export function shortNames(names: readonly string[], length: number): string[] {
  const clean = names.map(printable);
  if (clean.every((name) => [...name].length <= length)) return clean;
  const parts = clean.map(partsOf);
  const common = names.length > 1 ? commonParts(parts) : 0;
  const short = parts.map((each) => abbreviate(common > 0 ? ['…', ...each.slice(common)] : each, length));
  const alike = new Set(short.filter((name, i) => short.indexOf(name) !== i));
  return short.map((name, i) => {
    const number = ` #${i + 1}`;
    return alike.has(name) ? `${shorten(name, length - number.length)}${number}` : name;
  });
}

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Columns that text takes in a terminal or monospaced font. */
export function columns(text: string): number {
  let count = 0;
  for (const character of text) count += /\p{M}/u.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return count;
}

/** What a row of the ledger is of: an iteration, unless rows of θ are further apart than one step. `iterations`: that the segments span. */
export const stepWord = (segments: number, iterations: number): 'iteration' | 'segment' =>
  iterations > segments ? 'segment' : 'iteration';

/** The same of a run by its summary. */
export const stepOf = ({ segments, firstIteration, lastIteration }: Extent): 'iteration' | 'segment' =>
  stepWord(segments, lastIteration - firstIteration);

interface Extent {
  readonly segments: number;
  readonly firstIteration: number;
  readonly lastIteration: number;
}

/** Width in pixels, estimated for a common sans-serif font: there is no browser to measure with. */
export function estimateWidth(text: string, fontSize: number): number {
  const broad = text.match(/[mwMW@%+−]/g)?.length ?? 0;
  return (columns(text) * 0.6 + broad * 0.3) * fontSize;
}
