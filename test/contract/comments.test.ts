import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { namedFunctions, programOf, type NamedFunction } from '../support/compiler.js';
import { absolute, generated, inSource, sourceFiles } from '../support/sources.js';

const files = sourceFiles().filter((file) => !generated.includes(file));
const program = programOf(files.map(absolute));
const checker = program.getTypeChecker();

const exported = files.flatMap((file) =>
  namedFunctions(program.getSourceFile(absolute(file))!).filter((entry) => entry.exported),
);

/** Arrays of numbers; bytes have no shape. */
const arrays = new Set(['Float32Array', 'Float64Array', 'Int32Array', 'Uint32Array', 'BigInt64Array']);

/** Whether a type is an array of numbers, or holds one: as an element, as what a promise gives, as one of several types. */
function holdsNumbers(type: ts.Type, within: readonly ts.Type[] = []): boolean {
  // A type may hold itself.
  if (within.includes(type)) return false;
  const holds = (part: ts.Type): boolean => holdsNumbers(part, [...within, type]);
  if (type.isUnionOrIntersection()) return type.types.some(holds);
  if (arrays.has(type.symbol?.name)) return true;
  return checker.isTupleType(type) || isContainer(type)
    ? checker.getTypeArguments(type as ts.TypeReference).some(holds)
    : false;
}

const containers = /^(Promise|Array|ReadonlyArray|Iterable|AsyncIterable|Generator|AsyncGenerator)$/;

function isContainer(type: ts.Type): boolean {
  return containers.test(type.symbol?.name ?? '');
}

function signatureHoldsNumbers({ node }: NamedFunction): boolean {
  const signature = checker.getSignatureFromDeclaration(node);
  if (signature === undefined) return false;
  const given = signature
    .getParameters()
    .map((parameter) => checker.getTypeOfSymbolAtLocation(parameter, node));
  return [...given, signature.getReturnType()].some((type) => holdsNumbers(type));
}

/** The comment of a function; that of the interface for a method that has none of its own. */
function commentOf({ declaration }: NamedFunction): string {
  // A constructor has no symbol of its own: its class speaks for it.
  const named = ts.isConstructorDeclaration(declaration) ? declaration.parent : declaration;
  const symbol = checker.getSymbolAtLocation(named.name ?? named);
  if (symbol === undefined) return '';
  const tags = symbol
    .getJsDocTags(checker)
    .map(({ name, text }) => `@${name} ${ts.displayPartsToString(text)}`);
  return [ts.displayPartsToString(symbol.getDocumentationComment(checker)), ...tags].join('\n');
}

/** `[T, K]`, or words that say why there is none. */
const statesShape = /\[[^\]\n]+\]|any (length|shape|size)|same (length|shape|size)/i;

/** Whether the body itself, not a function inside it, throws something that it makes. */
function throws({ node }: NamedFunction): boolean {
  let found = false;
  const visit = (child: ts.Node): void => {
    if (ts.isThrowStatement(child) && !ts.isIdentifier(child.expression)) found = true;
    if (!ts.isFunctionLike(child)) ts.forEachChild(child, visit);
  };
  ts.forEachChild(node.body, visit);
  return found;
}

const saysThrows = /\b(throws?|refuses?|rejects?)\b/i;

function place({ name, node }: NamedFunction): string {
  const file = node.getSourceFile();
  const line = file.getLineAndCharacterOfPosition(node.getStart()).line + 1;
  return `${inSource(file.fileName)}:${line} ${name}`;
}

describe('the comment of an exported function', () => {
  it('states the shapes of arrays that it takes or gives', () => {
    const numeric = exported.filter(signatureHoldsNumbers);
    expect(numeric.length).toBeGreaterThan(50);
    expect(numeric.filter((entry) => !statesShape.test(commentOf(entry))).map(place)).toEqual([]);
  });

  it('says what is thrown', () => {
    const throwing = exported.filter(throws);
    expect(throwing.length).toBeGreaterThan(50);
    expect(throwing.filter((entry) => !saysThrows.test(commentOf(entry))).map(place)).toEqual([]);
  });
});
