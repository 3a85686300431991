/** A number in a name: its text, thousands and millions written out, the word before it, and the letters directly behind it. */
export interface Slot {
  readonly text: string;
  readonly word: string;
  readonly behind: string;
  /** What stands between it and the number before, where that is all. */
  readonly joint: string;
  /** What set its thousands apart, where it was read so. */
  readonly separator?: string;
}

/** Last parts of words whose numbers count training. */
export const stepWords = /(^|_)(global)?(step|iteration|iter|it|update)s?$/;
/** Parts of words whose numbers never count training: metrics, seeds, dates, precisions, versions, sizes. */
export const otherWords =
  /(^|_)(val|valid|test|.*loss|.*acc|accuracy|metric|score|f1|auc|map|bleu|ppl|perplexity|err|error|nll|lr|rate|wd|seed|rank|run|date|time|fp|bf|float|int|bit|bits|v|version|rev|bs|batch|size|dim|width|depth|layer|layers|hidden|heads|k|fold|gpu)s?(?=_|$)/;

/** The numbers of names with the word before each. Parts of a date are marked as such; groups of thousands are one number where names show that they are. */
export function slotsOfNames(names: readonly string[]): readonly (readonly Slot[])[] {
  const plain = names.map(slotsOf);
  const grouped = plain.map(groupsOf);
  if (grouped.some((each) => skeleton(each) !== skeleton(grouped[0]!))) return plain;
  const places = (grouped[0] ?? []).map((_, k) => joined(grouped.map((each) => each[k]!)));
  return names.map((_, n) => places.flatMap((place) => place[n]!));
}

function slotsOf(name: string): Slot[] {
  const dated = name.replace(
    /(19|20)\d\d([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])([-_T ]?\d\d[-_:h]?\d\d([-_:m]?\d\d)?)?/g,
    (date) => `date=${date.replace(/\D/g, '')}_`,
  );
  let end = 0;
  return [
    ...dated.matchAll(
      /([a-z][a-z_]*?)?([-_=. (]*)(?:(\d+(?:\.\d+)?)([km])(?![a-z\d])|(\d+(?:\.\d+(?![-_.]?[a-z]))?(?:e[-+]?\d+)?))(?=([a-z]*))/gi,
    ),
  ].map((match) => {
    const [whole, word = '', between = '', short, unit, plain, behind = ''] = match;
    const joint = dated.slice(end, match.index + word.length + between.length);
    end = match.index + whole.length;
    return {
      word: word.toLowerCase(),
      // A dash behind an equals sign or an underscore is a minus: of a checkpoint before the first step, which no iteration is.
      text: `${/[=_(]-$/.test(between) ? '-' : ''}${short === undefined ? plain! : String(Number(`${short}e${/k/i.test(unit!) ? 3 : 6}`))}`,
      behind: behind.toLowerCase(),
      joint,
    };
  });
}

/** A number and those behind it that may be its thousands, hundreds and so on: three digits each, all behind the same sign. */
type Group = readonly [Slot, ...Slot[]];

function groupsOf(slots: readonly Slot[]): Group[] {
  const groups: [Slot, ...Slot[]][] = [];
  for (const slot of slots) {
    const group = groups.at(-1);
    if (group !== undefined && isContinued(group, slot)) group.push(slot);
    else groups.push([slot]);
  }
  return groups;
}

function isContinued([head, ...others]: Group, { text, word, joint }: Slot): boolean {
  const last = others.at(-1) ?? head;
  if (word !== '' || !/^\d{3}$/.test(text) || !/^\d{1,3}$/.test(head.text) || last.behind !== '')
    return false;
  if (others.length > 0 && joint !== last.joint) return false;
  // Other numbers stand behind dashes and spaces as often.
  return joint === ',' || joint === "'" || (/^[_ ]$/.test(joint) && stepWords.test(head.word));
}

const skeleton = (groups: readonly Group[]): string => groups.map(([{ word }]) => word).join('#');
const isPlain = (group: Group): boolean => group.length === 1;
const textOf = (group: Group): string => group.map(({ text }) => text).join('');

/**
 * The numbers at one place of all names. Those in groups are one number where names show that these are thousands: commas do behind a word that counts steps, and
 * so do names whose numbers below 1000 have no groups. Where that is open, the number stays as it is written, which no count is.
 */
function joined(groups: readonly Group[]): readonly (readonly Slot[])[] {
  const split = groups.filter((group) => !isPlain(group));
  const tails = new Set(groups.map(([, ...others]) => others.map(({ text }) => text).join()));
  const { word } = groups[0]![0];
  const separators = new Set(split.map((group) => group[1]!.joint));
  const [separator = ''] = separators;
  const isComma = separator === ',' || separator === "'";
  const isSame = new Set(groups.map(textOf)).size === 1;
  // What is the same everywhere is no part of a number that differs: a size, such as in `step_100_512`; but 000 may be.
  const isConstant = tails.size === 1 && !/^[0,]*$/.test([...tails][0]!);
  if (split.length === 0 || isSame || (isConstant && !isComma)) return groups;
  const asOne = (text: (group: Group) => string): Slot[][] =>
    groups.map((group) => [{ ...group[0], text: text(group), behind: group.at(-1)!.behind }]);
  if (isComma && otherWords.test(word)) return asOne((group) => group.map(({ text }) => text).join('.'));
  const plain = groups.filter(isPlain).map(([{ text }]) => text);
  const isWritten =
    separators.size === 1 &&
    split.every(([{ text }]) => !text.startsWith('0')) &&
    plain.every((text) => /^(0|[1-9]\d{0,2})$/.test(text));
  // Parts of a checkpoint 5 beside it, `step_5_001`, are no thousands.
  const isMixed = plain.length > 0 && (isComma || split.every(([{ text }]) => !plain.includes(text)));
  if (!isWritten || !(isMixed || (isComma && stepWords.test(word))))
    return asOne((group) => group.map(({ text, joint }, k) => `${k > 0 ? joint : ''}${text}`).join(''));
  return asOne(textOf).map(([slot]) => [{ ...slot!, separator }]);
}
