// @ts-check
/** The names of claims that functions removed, by token: kept apart, so that removed and never set differ. */

import { create, hasOwn } from "./primordials.js";
import { quote } from "./words.js";

/**
 * @typedef {object} Removals null-prototype objects with `true` under each name
 * @property {Record<string, true>} idToken
 * @property {Record<string, true>} accessToken
 * @property {Record<string, true>} loginToken
 */

const TOKENS = ["idToken", "accessToken", "loginToken"];
const NO_NAMES = create(null);
/** @type {Removals} */
export const NOTHING_REMOVED = { idToken: NO_NAMES, accessToken: NO_NAMES, loginToken: NO_NAMES };

/** Removals as a frame has them, lists of names. @param {Record<string, string[]>} frame @returns {Removals} */
export function removalsOf(frame) {
  /** @type {any} */
  const removed = { ...NOTHING_REMOVED };
  for (let i = 0; i < TOKENS.length; i++) {
    const names = create(null);
    const list = hasOwn(frame, TOKENS[i]) ? frame[TOKENS[i]] : [];
    for (let j = 0; j < list.length; j++) names[list[j]] = true;
    removed[TOKENS[i]] = names;
  }
  return removed;
}

/** The same as JSON text. @param {Removals} removed */
export function removalsText(removed) {
  let text = "";
  for (let i = 0; i < TOKENS.length; i++) {
    const token = /** @type {keyof Removals} */ (TOKENS[i]);
    let list = "";
    for (const name in removed[token]) list += `${list ? "," : ""}${quote(name)}`;
    text += `${text ? "," : ""}"${token}":[${list}]`;
  }
  return `{${text}}`;
}

/**
 * `removed` with one name more or less. A copy: the one from before the step must survive when the step is skipped.
 * @param {Removals} removed
 * @param {keyof Removals} token
 * @param {string} name
 * @param {boolean} gone
 * @returns {Removals}
 */
export function changed(removed, token, name, gone) {
  if (!gone && removed[token][name] !== true) return removed;
  /** @type {any} */
  const names = { __proto__: null, ...removed[token] };
  if (gone) names[name] = true;
  else delete names[name];
  return { ...removed, [token]: names };
}
