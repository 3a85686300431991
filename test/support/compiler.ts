import ts from 'typescript';
import { dirname, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** The compiler's view of files, with the settings of a tsconfig of this repository. */
export function programOf(files: readonly string[], config = 'tsconfig.json'): ts.Program {
  return ts.createProgram(files, optionsOf(config));
}

/** Compiler options of a tsconfig of this repository. */
export function optionsOf(config: string): ts.CompilerOptions {
  return parsed(config).options;
}

/** Files that a tsconfig includes, as absolute paths. */
export function filesOf(config: string): string[] {
  return parsed(config).fileNames;
}

function parsed(config: string): ts.ParsedCommandLine {
  const path = resolve(root, config);
  const { config: json } = ts.readConfigFile(path, (file) => ts.sys.readFile(file)) as { config: unknown };
  return ts.parseJsonConfigFileContent(json, ts.sys, dirname(path), undefined, path);
}

/** Errors of a program, one a line, with file and line. */
export function errorsOf(program: ts.Program): string[] {
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const text = ts.flattenDiagnosticMessageText(messageText, '\n');
    if (file === undefined || start === undefined) return text;
    return `${file.fileName}:${file.getLineAndCharacterOfPosition(start).line + 1}: ${text}`;
  });
}

export type FunctionNode = (
  | ts.FunctionDeclaration
  | ts.MethodDeclaration
  | ts.ConstructorDeclaration
  | ts.AccessorDeclaration
  | ts.ArrowFunction
  | ts.FunctionExpression
) & { readonly body: ts.ConciseBody };

/** A function with a name: declared, a method, or the value of a constant. */
export interface NamedFunction {
  readonly name: string;
  readonly node: FunctionNode;
  /** What declares the name. */
  readonly declaration: ts.NamedDeclaration;
  readonly exported: boolean;
}

/** All functions of a file that have a name and a body; functions inside functions too. */
export function namedFunctions(file: ts.SourceFile): NamedFunction[] {
  const found: NamedFunction[] = [];
  const visit = (node: ts.Node): void => {
    const named = namedFunction(node);
    if (named !== null) found.push(named);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function namedFunction(node: ts.Node): NamedFunction | null {
  if (ts.isVariableDeclaration(node) && node.initializer !== undefined && isFunction(node.initializer)) {
    const exported = isExported(node.parent.parent);
    return { name: node.name.getText(), node: node.initializer, declaration: node, exported };
  }
  if (ts.isArrowFunction(node) || ts.isFunctionExpression(node) || !isFunction(node)) return null;
  const name = node.name?.getText() ?? 'constructor';
  const owner = ts.isClassDeclaration(node.parent) ? node.parent : null;
  if (owner === null) return { name, node, declaration: node, exported: isExported(node) };
  const qualified = `${owner.name?.text ?? 'class'}.${name}`;
  return { name: qualified, node, declaration: node, exported: isExported(owner) && isPublic(node) };
}

function isFunction(node: ts.Node): node is FunctionNode {
  return ts.isFunctionLike(node) && 'body' in node && node.body !== undefined;
}

function isExported(node: ts.Node): boolean {
  return ts.canHaveModifiers(node) && hasModifier(node, ts.SyntaxKind.ExportKeyword);
}

function isPublic(node: FunctionNode): boolean {
  const hidden = [ts.SyntaxKind.PrivateKeyword, ts.SyntaxKind.ProtectedKeyword];
  if (node.name !== undefined && ts.isPrivateIdentifier(node.name)) return false;
  return !hidden.some((kind) => ts.canHaveModifiers(node) && hasModifier(node, kind));
}

function hasModifier(node: ts.HasModifiers, kind: ts.SyntaxKind): boolean {
  return ts.getModifiers(node)?.some((modifier) => modifier.kind === kind) ?? false;
}

/** Lines of a node, its doc comment left out. */
export function linesOf(node: ts.Node): number {
  const file = node.getSourceFile();
  const line = (position: number) => file.getLineAndCharacterOfPosition(position).line;
  return line(node.getEnd()) - line(node.getStart()) + 1;
}
