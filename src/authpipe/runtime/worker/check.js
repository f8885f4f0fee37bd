// @ts-check
/** The compile check: is it a script with a `pipe`, and how many parameters does that declare? */

import { compileBody } from "./compile.js";
import { acorn } from "./modules.js";
import { parse as fromJson } from "./primordials.js";
import { ENDING, NAMES } from "./programs.js";
import { quote } from "./words.js";

const NO_PIPE =
  "no function called pipe: write `async function pipe(user, context, callback) { return callback(null, user, context); }`";
const NO_IMPORTS = "import and export are not available: write require('…') and a top-level function called pipe";
const FUNCTIONS = ["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"];
const EXPORTED = ["pipe", "exports.pipe", "module.exports", "module.exports.pipe"];

const OPTIONS = { ecmaVersion: "latest", sourceType: "script", locations: true, onToken: refuseImport };

/** `import(…)` is an expression that scripts may use; here it would only lead around `require`. @param {any} token */
function refuseImport({ type, loc }) {
  if (type.keyword === "import") throw Object.assign(new SyntaxError(NO_IMPORTS), { loc: loc.start });
}

/** Payload of a Checked frame for that of a Check frame. @param {string} text */
export function check(text) {
  const { parameters, error } = inspect(fromJson(text).source);
  return `{"parameters":${parameters},"error":${error === null ? "null" : quote(error)}}`;
}

/** @param {string} source @returns {{parameters: number | null, error: string | null}} */
function inspect(source) {
  try {
    const found = lastPipe(acorn().parse(source, OPTIONS).body);
    if (found === undefined) return { parameters: null, error: NO_PIPE };
    compileBody(source + ENDING, "file:///check.js", NAMES);
    return { parameters: found === null ? null : found.params.length, error: null };
  } catch (/** @type {any} */ problem) {
    return { parameters: null, error: describe(problem) };
  }
}

/** @param {any} problem acorn's SyntaxError */
function describe({ message, loc }) {
  if (loc === undefined) return message;
  const what = message.replace(/ \(\d+:\d+\)$/, "");
  const text = what.includes("'import' and 'export'") ? NO_IMPORTS : what;
  return `line ${loc.line}, column ${loc.column + 1}: ${text}`;
}

/**
 * The function that `pipe` is bound to last; null when that cannot be told from the text, undefined when there is none.
 * @param {any[]} body
 * @returns {any}
 */
function lastPipe(body) {
  /** @type {any} */
  let found;
  for (const statement of body) {
    for (const [target, value] of bindings(statement)) {
      if (EXPORTED.includes(target)) found = FUNCTIONS.includes(value?.type) ? value : named(value, found);
    }
  }
  return found;
}

/** `module.exports = pipe` says nothing new. @param {any} value @param {any} found */
function named(value, found) {
  return value?.type === "Identifier" && value.name === "pipe" && found !== undefined ? found : null;
}

/**
 * What a top-level statement binds, as [target, value] pairs.
 * @param {any} statement
 * @returns {[string, any][]}
 */
function bindings(statement) {
  if (statement.type === "FunctionDeclaration") return [[statement.id.name, statement]];
  if (statement.type === "VariableDeclaration") {
    return statement.declarations.filter((/** @type {any} */ each) => each.init).map(declared);
  }
  return statement.type === "ExpressionStatement" ? assignments(statement.expression) : [];
}

/** @param {any} each @returns {[string, any]} */
const declared = (each) => [each.id.name ?? "", each.init];

/** Chains such as `exports.pipe = module.exports = pipe`, innermost value for all. @param {any} expression @returns {[string, any][]} */
function assignments(expression) {
  const targets = [];
  while (expression.type === "AssignmentExpression" && expression.operator === "=") {
    targets.push(path(expression.left));
    expression = expression.right;
  }
  return targets.map((target) => [target, expression]);
}

/** @param {any} node @returns {string} `a.b.c`, or nothing that could match */
function path(node) {
  if (node.type === "Identifier") return node.name;
  if (node.type !== "MemberExpression" || node.computed) return "";
  return `${path(node.object)}.${node.property.name}`;
}
