// @ts-check
/** `authing`: every method of every group becomes one host call; the server knows which ones exist. */

import { hostCall } from "./hostcalls.js";
import { create, makeProxy } from "./primordials.js";

/**
 * @param {string} path such as `users.listOrgs`
 * @param {boolean} group whether members of it are methods, too
 * @returns {any}
 */
function method(path, group) {
  const members = create(null);
  const call = (/** @type {any[]} */ ...args) =>
    hostCall("authing", { __proto__: null, method: path, arguments: args });
  if (!group) return call;
  return new makeProxy(call, {
    // @ts-ignore: a literal without a prototype
    __proto__: null,
    get: (/** @type {any} */ target, /** @type {any} */ name) =>
      isMember(name) ? (members[name] ??= method(`${path}.${name}`, false)) : target[name],
  });
}

/** @param {string | symbol} name */
const isMember = (name) =>
  typeof name === "string" && name !== "then" && name !== "prototype" && name !== "call" && name !== "apply" &&
  name !== "bind" && name !== "length" && name !== "name" && name !== "toString" && name !== "constructor";

const groups = create(null);

/** What tenant code finds as `authing`. */
export const authing = new makeProxy(create(null), {
  // @ts-ignore: a literal without a prototype
  __proto__: null,
  get: (_target, name) => (isMember(name) ? (groups[name] ??= method(/** @type {string} */ (name), true)) : undefined),
});
