import ts from 'typescript';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const dist = resolve(import.meta.dirname, '../../dist');
const entry = join(dist, 'index.d.ts');
const program = ts.createProgram([entry], {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  strict: true,
  skipLibCheck: true,
});
const checker = program.getTypeChecker();

function original(symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

const exported = new Set(
  checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(entry)!)!).map(original),
);

/** Whether a declaration is a named type of this package, and not of a library. */
function isOwn(declaration: ts.Declaration): boolean {
  const named =
    ts.isInterfaceDeclaration(declaration) ||
    ts.isTypeAliasDeclaration(declaration) ||
    ts.isClassDeclaration(declaration);
  return named && declaration.getSourceFile().fileName.startsWith(`${dist}/`);
}

function isHidden(node: ts.Node): boolean {
  if (!ts.canHaveModifiers(node)) return false;
  const hidden = [ts.SyntaxKind.PrivateKeyword, ts.SyntaxKind.ProtectedKeyword];
  return ts.getModifiers(node)?.some(({ kind }) => hidden.includes(kind)) ?? false;
}

/** Types of this package that a declaration names. */
function namedTypes(declaration: ts.Node): Set<ts.Symbol> {
  const found = new Set<ts.Symbol>();
  const visit = (node: ts.Node): void => {
    if (isHidden(node)) return;
    if (ts.isTypeReferenceNode(node) || ts.isExpressionWithTypeArguments(node)) {
      const symbol = checker.getSymbolAtLocation(
        ts.isTypeReferenceNode(node) ? node.typeName : node.expression,
      );
      if (symbol !== undefined && original(symbol).declarations?.some(isOwn)) found.add(original(symbol));
    }
    ts.forEachChild(node, visit);
  };
  visit(declaration);
  return found;
}

describe('the types of the root', () => {
  it('are importable from it, those that other signatures name included', () => {
    const missing = [...exported].flatMap((symbol) =>
      (symbol.declarations ?? []).flatMap((declaration) =>
        [...namedTypes(declaration)]
          .filter((type) => !exported.has(type))
          .map((type) => `${symbol.name} names ${type.name}`),
      ),
    );
    expect(missing.sort()).toEqual([]);
  });
});
