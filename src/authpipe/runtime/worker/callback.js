// @ts-check
/** What a call of `callback` means. Source: contract.md, section 2.3. */

import { byteLength, has, isArray } from "./primordials.js";
import { removalsText } from "./removals.js";
import { BadValue, snapshot } from "./snapshot.js";
import { resultingUser } from "./user.js";
import { messageOf, stackOf } from "./words.js";

/** Longest list of removed claims, bytes of JSON; it travels beside user and context. */
const REMOVALS_LIMIT = 8 * 1024;
/** Keys that tell a context from a user when it is not the very object that was passed in; a copy of a user has the first. */
const CONTEXT_KEYS = ["userPoolId", "connection"];

/**
 * The outcome of `callback(error, first, second)`; user and context become text here and now.
 * @param {import("./invocation.js").Invocation} invocation
 * @param {any} error
 * @param {any} first
 * @param {any} second
 * @returns {import("./invocation.js").Settled}
 */
export function interpret(invocation, error, first, second) {
  if (error !== null && error !== undefined) return failed("denied", error);
  try {
    const { user, context } = values(invocation, first, second);
    checkObject(context, "context");
    if (user !== null) checkObject(user, "user");
    checkRemovals(invocation);
    return snapshot(user === null ? null : resultingUser(invocation, user), context);
  } catch (problem) {
    const text = problem instanceof BadValue ? problem.text : `user or context cannot be read: ${messageOf(problem)}`;
    return { outcome: "bad_result", message: text, detail: null, user: "", context: "" };
  }
}

/**
 * An outcome that ends a function with an error.
 * @param {string} outcome
 * @param {any} error
 * @param {string} [prefix]
 * @returns {import("./invocation.js").Settled}
 */
export function failed(outcome, error, prefix = "") {
  return { outcome, message: prefix + messageOf(error), detail: stackOf(error), user: "", context: "" };
}

/** @param {any} value */
const missing = (value) => value === null || value === undefined;

/**
 * The user and context that the two values stand for; what is missing stays what it is.
 * @param {import("./invocation.js").Invocation} invocation
 * @param {any} first
 * @param {any} second
 */
function values(invocation, first, second) {
  const { user, context } = invocation;
  if (missing(first)) return { user, context: missing(second) ? context : second };
  if (!missing(second)) return { user: first, context: second };
  return isContext(invocation, first) ? { user, context: first } : { user: first, context };
}

/** @param {import("./invocation.js").Invocation} invocation @param {any} lone */
function isContext({ user, context, parameters }, lone) {
  if (lone === context) return true;
  if (lone === user) return false;
  checkObject(lone, "the value passed to callback");
  if (has(lone, "request")) return true;
  if (has(lone, "customData")) return false;
  for (let i = 0; i < CONTEXT_KEYS.length; i++) if (has(lone, CONTEXT_KEYS[i])) return true;
  return parameters === 2;
}

/** @param {import("./invocation.js").Invocation} invocation */
function checkRemovals({ removed, run }) {
  if (removed === run.removed || byteLength(removalsText(removed)) <= REMOVALS_LIMIT) return;
  throw new BadValue("the names of the removed claims are too long together");
}

/** @param {any} value @param {string} name */
function checkObject(value, name) {
  if (typeof value === "object" && !isArray(value)) return;
  throw new BadValue(`${name} must be an object, not ${isArray(value) ? "an array" : `a ${typeof value}`}`);
}
