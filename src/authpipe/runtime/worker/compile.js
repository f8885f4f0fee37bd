// @ts-check
/** Text into a function whose lines and columns are those of the text. */

import { compileFunction, defineProperty, iterate, lists, TextError } from "./primordials.js";

const ITERATOR = Symbol.iterator;

/**
 * A function with `text` as its body. Throws the SyntaxError.
 * @param {string} text
 * @param {string} url what stacks call it
 * @param {string[]} names its parameters
 * @returns {Function}
 */
export function compileBody(text, url, names) {
  // Deno's own code takes the answer apart with the iterator that tenant code may have replaced.
  const iterator = /** @type {any} */ (lists)[ITERATOR];
  if (iterator !== iterate) setIterator(iterate);
  const answer = compileFunction(text, url, undefined, names);
  if (iterator !== iterate) setIterator(iterator);
  if (answer[1]) throw answer[1].thrown;
  if (typeof answer[0] !== "function") {
    throw new TextError("arrays were tampered with: no source can be loaded any more");
  }
  return answer[0];
}

/** @param {any} value */
function setIterator(value) {
  const descriptor = { __proto__: null, value, writable: true, enumerable: false, configurable: true };
  defineProperty(lists, ITERATOR, /** @type {any} */ (descriptor));
}
