// @ts-check
/** User and context turned into JSON text once, inside the callback: checkpoint, next input and result alike. */

import { byteLength, isArray, isView, lengthOfView, stringify } from "./primordials.js";
import { hasHalfCharacter } from "./words.js";

/** Largest user and context together, bytes of JSON. */
export const SIZE_LIMIT = 500 * 1024;
/** Deepest nesting. */
export const DEPTH_LIMIT = 32;

const TOO_LARGE = "user and context together are larger than 500 KiB of JSON";
const TOO_DEEP = "user or context contains itself or nests deeper than 32 levels";

/** Why a value cannot be passed on; the text is for the author. */
export class BadValue {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }
}

/**
 * The good end of a function: user and context as JSON texts. Throws `BadValue`.
 * @param {any} user a plain object or null
 * @param {any} context a plain object
 * @returns {import("./invocation.js").Settled}
 */
export function snapshot(user, context) {
  let left = SIZE_LIMIT;
  if (user !== null) left = measure(user, 1, left);
  measure(context, 1, left);
  const userText = encode(user, "user");
  const contextText = encode(context, "context");
  const length = userText.length + contextText.length;
  if (length * 3 > SIZE_LIMIT && byteLength(userText) + byteLength(contextText) > SIZE_LIMIT) {
    throw new BadValue(TOO_LARGE);
  }
  return { outcome: "ok", message: null, detail: null, user: userText, context: contextText };
}

/** @param {any} value @param {string} name */
function encode(value, name) {
  let text;
  try {
    text = stringify(value);
  } catch (error) {
    throw new BadValue(`${name} cannot be turned into JSON: ${reason(error)}`);
  }
  if (typeof text !== "string" || (text[0] !== "{" && value !== null)) throw new BadValue(`${name} is not an object`);
  if (hasHalfCharacter(text)) throw new BadValue(`${name} contains half of a character (a lone surrogate)`);
  return text;
}

/** @param {any} error */
function reason(error) {
  try {
    return typeof error.message === "string" ? error.message : "its own code failed";
  } catch {
    return "its own code failed";
  }
}

/**
 * A lower bound of the JSON text's length, given up as soon as it exceeds `left`: the engine writes the whole text
 * before anyone can look at its length, and an object that is shared many times over explodes only there.
 * @param {any} value
 * @param {number} depth
 * @param {number} left
 * @returns {number} what is left
 */
export function measure(value, depth, left) {
  if (depth > DEPTH_LIMIT) throw new BadValue(TOO_DEEP);
  if (isArray(value)) {
    const { length } = value;
    left -= length;
    if (left < 0) throw new BadValue(TOO_LARGE);
    for (let i = 0; i < length; i++) left = measureMember(value[i], depth, left);
  } else if (isView(value)) {
    left -= lengthOfView(value);
  } else {
    for (const name in value) left = measureMember(value[name], depth, left - name.length - 4);
  }
  if (left < 0) throw new BadValue(TOO_LARGE);
  return left;
}

/** @param {any} member @param {number} depth @param {number} left */
function measureMember(member, depth, left) {
  if (typeof member === "string") left -= member.length;
  else if (typeof member === "object" && member !== null) left = measure(member, depth + 1, left);
  else if (typeof member === "bigint") {
    throw new BadValue("user or context contains a BigInt, which JSON has no form for");
  }
  if (left < 0) throw new BadValue(TOO_LARGE);
  return left;
}
