import type { Node, Tensor } from '../../protobuf/onnx_pb.js';

/** When a tensor is first computed with: number of the node, then of its input. */
type Moment = readonly [node: number, input: number];

function firstReads(nodes: readonly Node[]): Map<string, Moment> {
  const reads = new Map<string, Moment>();
  nodes.forEach((node, n) => {
    if (node.opType === 'Identity') return;
    node.input.forEach((name, k) => {
      if (!reads.has(name)) reads.set(name, [n, k]);
    });
  });
  return reads;
}

function isBefore(a: Moment, b: Moment): boolean {
  return a[0] === b[0] ? a[1] < b[1] : a[0] < b[0];
}

/** Whether two names differ in numbers only, as those of a layer and its copy do. */
export function isSameLayerElsewhere(a: string, b: string): boolean {
  return a.replaceAll(/\d+/g, '#') === b.replaceAll(/\d+/g, '#');
}

/** A name without its last parts: that of the layer, or of what holds the layer. */
function parentOf(name: string, levels = 1): string {
  return name.split('.').slice(0, -levels).join('.');
}

function isWithin(name: string, module: string): boolean {
  return module === '' || name.startsWith(`${module}.`);
}

/** Where the tensors of a module begin and end; null where it has none. */
function spanOf(tensors: readonly Tensor[], module: string): readonly [number, number] | null {
  const first = tensors.findIndex(({ name }) => isWithin(name, module));
  return first < 0 ? null : [first, tensors.findLastIndex(({ name }) => isWithin(name, module)) + 1];
}

/** Behind the weight, or in front of the bias, of the same layer. */
function besideSibling(tensors: readonly Tensor[], name: string): number | null {
  const span = name.includes('.') ? spanOf(tensors, parentOf(name)) : null;
  if (span === null) return null;
  return name.endsWith('weight') ? span[0] : span[1];
}

/** The numbered block of a network that a tensor belongs to, such as `layers.1`, and what it is called there. */
function blocksOf(name: string): { block: string; rest: string }[] {
  const parts = name.split('.');
  return parts.flatMap((part, k) =>
    /^\d+$/.test(part) && k < parts.length - 2
      ? [{ block: parts.slice(0, k + 1).join('.'), rest: parts.slice(k + 1).join('.') }]
      : [],
  );
}

/** As its counterpart stands in another block of the same kind: `layers.1.norm1` after `layers.1.linear2`. */
function likeCounterpart(tensors: readonly Tensor[], name: string): number | null {
  for (const { block, rest } of blocksOf(name)) {
    const stack = parentOf(block);
    const place = tensors.findIndex(
      (tensor) =>
        tensor.name.endsWith(`.${rest}`) && parentOf(tensor.name, rest.split('.').length + 1) === stack,
    );
    if (place >= 0) return placeInBlock(tensors, block, place, rest);
  }
  return null;
}

function placeInBlock(tensors: readonly Tensor[], block: string, place: number, rest: string): number {
  const other = parentOf(tensors[place]!.name, rest.split('.').length);
  const before = tensors.slice(0, place).filter(({ name }) => isWithin(name, other));
  const earlier = new Set(before.map(({ name }) => block + name.slice(other.length)));
  const behind = tensors.findLastIndex(({ name }) => earlier.has(name));
  if (behind >= 0) return behind + 1;
  const own = spanOf(tensors, block);
  return own === null ? placeOfBlock(tensors, block) : own[0];
}

/** Behind the block with the next smaller number, else in front of that with the next larger. */
function placeOfBlock(tensors: readonly Tensor[], block: string): number {
  const stack = parentOf(block);
  const numberIn = (name: string): number =>
    Number(name.slice(stack === '' ? 0 : stack.length + 1).split('.')[0]);
  const number = numberIn(block);
  const members = [...tensors.keys()].filter((k) => isWithin(tensors[k]!.name, stack));
  const smaller = members.findLast((k) => numberIn(tensors[k]!.name) < number);
  return smaller === undefined ? members[0]! : smaller + 1;
}

/** Behind the layer of the same name with the next smaller number: `norm2` after `norm1`; 0 where there is none. */
function afterPredecessor(tensors: readonly Tensor[], name: string): number {
  const [, start, number] = /^(.*?)(\d+)$/.exec(parentOf(name)) ?? [];
  for (let k = Number(number ?? 0) - 1; k >= 0; k--) {
    const span = spanOf(tensors, `${start!}${k}`);
    if (span !== null) return span[1];
  }
  return 0;
}

/** Behind the tensor that is read last before it, which is where it was declared in most networks. */
function afterLastRead(tensors: readonly Tensor[], name: string, reads: ReadonlyMap<string, Moment>): number {
  const moment = reads.get(name);
  let after = moment === undefined ? tensors.length - 1 : -1;
  let latest: Moment | undefined;
  for (const [k, tensor] of tensors.entries()) {
    const other = reads.get(tensor.name);
    if (!other || !moment || !isBefore(other, moment) || (latest && isBefore(other, latest))) continue;
    [latest, after] = [other, k];
  }
  return after + 1;
}

/** Layers of PyTorch's transformers that are declared after the linear ones, though read before them. */
const lastDeclared = /^(.+\.)norm\d\.(weight|bias)$/;

/** A place that is not inside a module that the tensor does not belong to: if need be, behind that. */
function outsideOthers(tensors: readonly Tensor[], name: string, place: number): number {
  const [before, after] = [tensors[place - 1], tensors[place]];
  if (before === undefined || after === undefined) return place;
  for (let levels = before.name.split('.').length - 1; levels > 0; levels--) {
    const module = parentOf(before.name, levels);
    if (isWithin(after.name, module) && !isWithin(name, module)) return spanOf(tensors, module)![1];
  }
  return place;
}

/** By the order in which tensors are read, but within what holds the layer. */
function byReading(tensors: readonly Tensor[], name: string, reads: ReadonlyMap<string, Moment>): number {
  const place = Math.max(afterLastRead(tensors, name, reads), afterPredecessor(tensors, name));
  for (let levels = 2; levels < name.split('.').length; levels++) {
    const span = spanOf(tensors, parentOf(name, levels));
    if (span === null) continue;
    const linear = tensors.findIndex(
      (tensor) => tensor.name === name.replace(lastDeclared, '$1linear2.bias'),
    );
    return outsideOthers(tensors, name, Math.min(Math.max(place, span[0], linear + 1), span[1]));
  }
  return outsideOthers(tensors, name, place);
}

/** Tensors with copies where they were declared, as far as names and the order of reading tell. */
export function declared(
  tensors: readonly Tensor[],
  copies: readonly Tensor[],
  nodes: readonly Node[],
): Tensor[] {
  const reads = firstReads(nodes);
  const result = [...tensors];
  const order = (tensor: Tensor): Moment => reads.get(tensor.name) ?? [Infinity, 0];
  const waiting = copies.toSorted((a, b) => (isBefore(order(a), order(b)) ? -1 : 1));
  while (waiting.length > 0) {
    const [k, place] = nextPlaced(result, waiting) ?? [0, byReading(result, waiting[0]!.name, reads)];
    result.splice(place, 0, ...waiting.splice(k, 1));
  }
  return result;
}

/** The first copy whose place names alone tell, and that place. */
function nextPlaced(
  tensors: readonly Tensor[],
  waiting: readonly Tensor[],
): readonly [number, number] | null {
  for (const placement of [besideSibling, likeCounterpart]) {
    for (const [k, { name }] of waiting.entries()) {
      const place = placement(tensors, name);
      if (place !== null) return [k, place];
    }
  }
  return null;
}
