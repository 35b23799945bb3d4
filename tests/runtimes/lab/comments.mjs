// What an editor shows of the package: whether everything that its types export has a comment, and every member.

import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
// The compiler's interface for programs, which TypeScript 7 does not have yet.
import ts from "typescript-5";

/** The names that an editor shows without a comment, by their paths, as a result. */
export function checkComments({ project }) {
  const name = "everything that the types export has a comment, and every member";
  const { bare, seen } = uncommented(join(project, "node_modules", "redress"));
  // A check that looks at nothing finds nothing.
  if (seen < 200) return { name, error: `only ${seen} names were found` };
  return { name, error: bare.length === 0 ? null : bare.join("\n") };
}

/** The names without a comment, and how many there are with those that have one. */
export function uncommented(folder) {
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const entries = Object.values(exports).flatMap((target) => target.types?.default ?? []);
  const files = entries.map((path) => join(folder, path));
  const compilerOptions = { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, types: [] };
  const program = ts.createProgram(files, compilerOptions);
  const walk = new Walk(program.getTypeChecker(), dirname(files[0]));
  for (const file of files) {
    const module = walk.checker.getSymbolAtLocation(program.getSourceFile(file));
    for (const symbol of walk.checker.getExportsOfModule(module)) walk.follow(symbol, symbol.name);
  }
  return { bare: [...walk.bare], seen: walk.seen };
}

class Walk {
  bare = new Set();
  seen = 0;
  #followed = new Set();
  #folder;

  constructor(checker, folder) {
    this.checker = checker;
    this.#folder = folder;
  }

  /** Looks at a name and at all that its declarations name in turn, if the package declares it. */
  follow(found, path) {
    const symbol = found.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(found) : found;
    const declarations = (symbol.declarations ?? []).filter((node) => this.#isOurs(node));
    if (this.#followed.has(symbol) || declarations.length === 0) return;
    this.#followed.add(symbol);
    for (const node of declarations) {
      if (ts.isSourceFile(node)) {
        for (const inner of this.checker.getExportsOfModule(symbol)) this.follow(inner, `${path}.${inner.name}`);
      } else if (!ts.isTypeParameterDeclaration(node) && !ts.isParameter(node)) {
        this.#require(node, path);
        this.#look(node, path);
      }
    }
  }

  #isOurs(node) {
    return !relative(this.#folder, node.getSourceFile().fileName).startsWith("..");
  }

  /** Members under a node, and names of types, which are followed. */
  #look(node, path) {
    node.forEachChild((child) => {
      // What a condition compares with is not shown.
      if (ts.isConditionalTypeNode(node) && child === node.extendsType) return;
      const isMember = ts.isClassElement(child) || ts.isTypeElement(child);
      if (isMember && (child.name === undefined || !ts.isPrivateIdentifier(child.name)) && !isPrivate(child)) {
        const name = `${path}.${child.name?.getText() ?? "constructor"}`;
        if (!isSignature(child)) this.#require(child, name);
        this.#look(child, name);
      } else {
        if (ts.isIdentifier(child)) this.#refer(child);
        this.#look(child, path);
      }
    });
  }

  #refer(identifier) {
    const symbol = this.checker.getSymbolAtLocation(identifier);
    if (symbol !== undefined && symbol.flags & (ts.SymbolFlags.Type | ts.SymbolFlags.Alias))
      this.follow(symbol, symbol.name);
  }

  #require(node, path) {
    this.seen += 1;
    const symbol = node.name && this.checker.getSymbolAtLocation(node.name);
    // An editor shows the comment of what a member implements or overrides.
    const comment = symbol?.getDocumentationComment(this.checker) ?? [];
    const own = ts.getJSDocCommentsAndTags(
      node.parent?.parent?.kind === ts.SyntaxKind.VariableStatement ? node.parent.parent : node,
    );
    if (comment.length === 0 && own.length === 0)
      this.bare.add(`${relative(this.#folder, node.getSourceFile().fileName)}: ${path}`);
  }
}

const isPrivate = (node) => (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Private) !== 0;

/** The type of a function: what has it has the comment. */
const isSignature = (node) => ts.isCallSignatureDeclaration(node) || ts.isIndexSignatureDeclaration(node);
