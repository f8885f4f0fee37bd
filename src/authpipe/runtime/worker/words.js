// @ts-check
/** Texts from values of tenant code: error messages, stacks, sanitised names. Runs inside the function's time. */

import { apply, codeAt, findText, isNativeError, sliceText, stringify, Text, wellFormed } from "./primordials.js";

export const MESSAGE_LIMIT = 1024;
export const DETAIL_LIMIT = 4096;

/** A JSON string, safe to put into a frame. @param {string} text @returns {string} */
export const quote = (text) => stringify(wellFormed(text));

/**
 * Whether JSON text that the engine wrote contains half a surrogate pair, which other JSON readers refuse.
 * @param {string} text
 */
export function hasHalfCharacter(text) {
  for (let at = findText(text, "\\ud"); at >= 0; at = findText(text, "\\ud", at + 1)) {
    let slashes = 1;
    while (text[at - slashes] === "\\") slashes++;
    if (slashes % 2 === 1) return true;
  }
  return false;
}

/** At most `limit` UTF-16 units of `text`. @param {string} text @param {number} limit */
export const cut = (text, limit) => (text.length > limit ? sliceText(text, 0, limit - 1) + "…" : text);

/**
 * What an error says: an Error's message, a text itself, an object's `message`, else JSON. At most 1,024 characters.
 * Source: contract.md, section 2.3.
 * @param {any} error
 * @returns {string}
 */
export function messageOf(error) {
  try {
    return cut(messageText(error), MESSAGE_LIMIT);
  } catch {
    return "an error that cannot be read";
  }
}

/** @param {any} error @returns {string} */
function messageText(error) {
  if (typeof error === "string") return error;
  if (typeof error !== "object" || error === null) return apply(Text, undefined, [error]);
  const message = error.message;
  if (typeof message === "string") return message === "" && isNativeError(error) ? `${error.name}` : message;
  const text = stringify(error);
  return typeof text === "string" ? text : "an error without a message";
}

/**
 * The lines of an Error's stack that lie in the functions' own sources, for the author.
 * @param {any} error
 * @returns {string | null}
 */
export function stackOf(error) {
  try {
    if (!isNativeError(error)) return null;
    const stack = error.stack;
    return typeof stack === "string" ? cut(`${error.name}: ${ownLines(stack)}`, DETAIL_LIMIT) : null;
  } catch {
    return null;
  }
}

/** The prefix of the names that function sources are compiled under. */
export const SOURCE_ROOT = "file:///function/";

/** @param {string} stack */
function ownLines(stack) {
  let kept = "";
  let from = 0;
  let first = true;
  while (from <= stack.length) {
    let to = findText(stack, "\n", from);
    if (to < 0) to = stack.length;
    const line = sliceText(stack, from, to);
    const at = findText(line, SOURCE_ROOT);
    if (first) kept += withoutName(line);
    else if (at >= 0) kept += "\n" + sliceText(line, 0, at) + sliceText(line, at + SOURCE_ROOT.length);
    first = false;
    from = to + 1;
  }
  return kept;
}

/** @param {string} line */
function withoutName(line) {
  const at = findText(line, ": ");
  return at < 0 ? "" : sliceText(line, at + 2);
}

/** A function's name as a file name. @param {string} name */
export function fileName(name) {
  let safe = "";
  for (let i = 0; i < name.length && i < 64; i++) {
    const code = codeAt(name, i);
    const plain = (code > 47 && code < 58) || (code > 64 && code < 91) || (code > 96 && code < 123) || code === 45;
    safe += plain ? sliceText(name, i, i + 1) : "_";
  }
  return (safe || "function") + ".js";
}
