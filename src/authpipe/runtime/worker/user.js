// @ts-check
/** The methods of `user` in every era, and what of a returned user is taken back. Source: contract.md, section 3. */

import {
  create,
  defineProperty,
  getWeak,
  hasOwn,
  parse,
  setPrototypeOf,
  setWeak,
  stringify,
  Text,
  Weak,
} from "./primordials.js";
import { warn } from "./log.js";
import { changed } from "./removals.js";

/**
 * @typedef {object} Method
 * @property {string} accumulator property of user it works on
 * @property {boolean} [removes]
 * @property {string} [needs] accumulator whose scenes it is available in, when that is another one
 * @property {number} [limit] longest value, characters
 */

/** @type {Record<string, Method>} The closed set of methods. */
export const METHODS = {
  addCustomData: { accumulator: "customData" },
  addMetaData: { accumulator: "customDataOnce" },
  addMetaDataAndPersist: { accumulator: "customData", needs: "customDataOnce", limit: 1000 },
  setTokenField: { accumulator: "decryptedToken" },
  addToken: { accumulator: "decryptedToken" },
  removeTokenField: { accumulator: "decryptedToken", removes: true },
  removeToken: { accumulator: "decryptedToken", removes: true },
  setIdTokenField: { accumulator: "idToken" },
  addIdToken: { accumulator: "idToken" },
  removeIdToken: { accumulator: "idToken", removes: true },
  addAccessToken: { accumulator: "customAccessTokenClaims" },
  removeAccessToken: { accumulator: "customAccessTokenClaims", removes: true },
};

/** @type {Record<string, "idToken" | "accessToken" | "loginToken">} accumulator → token whose removals are kept */
const TOKENS = bare({
  idToken: "idToken",
  customAccessTokenClaims: "accessToken",
  decryptedToken: "loginToken",
});

/** @template T @param {T} object @returns {T} */
function bare(object) {
  setPrototypeOf(/** @type {any} */ (object), null);
  return object;
}

/** Keys that would reach into prototypes. */
const REFUSED_KEYS = bare({ ["__proto__"]: true, constructor: true, prototype: true });

const owners = new Weak();

/**
 * What users inherit from: the methods as getters, so that each is bound to the user it was read from, also when
 * destructured, and none is enumerable. It stands in for Object.prototype, so that users still look like plain objects.
 */
const prototype = create(null, Object.getOwnPropertyDescriptors(Object.prototype));

for (const [name, method] of Object.entries(METHODS)) {
  defineProperty(prototype, name, {
    configurable: true,
    get() {
      return bound(this, name, method);
    },
    set(value) {
      defineProperty(this, name, { value, writable: true, configurable: true });
    },
  });
}

/** Gives a freshly parsed user its methods. @param {any} user @param {import("./invocation.js").Invocation} invocation */
export function attach(user, invocation) {
  setPrototypeOf(user, prototype);
  setWeak(owners, user, invocation);
  return user;
}

/** @param {any} user @param {string} name @param {Method} method */
function bound(user, name, method) {
  return (/** @type {any} */ key, /** @type {any} */ value) => {
    const invocation = getWeak(owners, user);
    if (invocation !== undefined && allowed(invocation, name, method, key, value)) {
      if (method.removes) remove(user, invocation, method.accumulator, key);
      else add(user, invocation, method.accumulator, key, value);
    }
    return user;
  };
}

/**
 * @param {import("./invocation.js").Invocation} invocation
 * @param {string} name
 * @param {Method} method
 * @param {any} key
 * @param {any} value
 */
function allowed(invocation, name, method, key, value) {
  const { plan } = invocation.run;
  if (plan.accumulators[method.needs ?? method.accumulator] !== true) {
    warn(invocation, `user.${name} has no effect in scene ${plan.scene}`);
    return false;
  }
  if (REFUSED_KEYS[/** @type {keyof typeof REFUSED_KEYS} */ (Text(key))]) {
    warn(invocation, `user.${name} refused the key ${Text(key)}`);
    return false;
  }
  if (method.limit !== undefined && lengthOf(value) > method.limit) {
    warn(invocation, `user.${name} dropped ${Text(key)}: its value is longer than ${method.limit} characters`);
    return false;
  }
  return true;
}

/** @param {any} value */
function lengthOf(value) {
  const text = typeof value === "string" ? value : stringify(value);
  return typeof text === "string" ? text.length : 0;
}

/** @param {any} user @param {any} invocation @param {string} accumulator @param {any} key @param {any} value */
function add(user, invocation, accumulator, key, value) {
  let target = hasOwn(user, accumulator) ? user[accumulator] : undefined;
  if (typeof target !== "object" || target === null) {
    target = {};
    defineProperty(user, accumulator, { value: target, writable: true, enumerable: true, configurable: true });
  }
  target[key] = value;
  change(invocation, accumulator, Text(key), false);
}

/** @param {any} user @param {any} invocation @param {string} accumulator @param {any} key */
function remove(user, invocation, accumulator, key) {
  const target = hasOwn(user, accumulator) ? user[accumulator] : undefined;
  if (typeof target === "object" && target !== null) delete target[key];
  change(invocation, accumulator, Text(key), true);
}

/** @param {any} invocation @param {string} accumulator @param {string} key @param {boolean} gone */
function change(invocation, accumulator, key, gone) {
  const token = TOKENS[accumulator];
  if (token !== undefined) invocation.removed = changed(invocation.removed, token, key, gone);
}

/**
 * The user to be passed on: without methods, read-only fields as they were, accumulators kept when they are missing.
 * @param {import("./invocation.js").Invocation} invocation
 * @param {any} user
 */
export function resultingUser(invocation, user) {
  const { run } = invocation;
  const result = { ...user, ...run.kept };
  if (user !== invocation.user && invocation.user !== null) {
    for (const name in run.plan.accumulators) {
      if (result[name] === undefined) defineProperty(result, name, enumerable(invocation.user[name]));
    }
  }
  return result;
}

/** @param {any} value */
const enumerable = (value) => ({ __proto__: null, value, writable: true, enumerable: true, configurable: true });

/**
 * The read-only fields of a user as it came in; those it lacks are undefined, which JSON drops.
 * @param {any} user
 * @param {string[]} names
 */
export function readOnlyFields(user, names) {
  /** @type {any} */
  const kept = {};
  for (let i = 0; i < names.length; i++) {
    const value = hasOwn(user, names[i]) ? user[names[i]] : undefined;
    kept[names[i]] = typeof value === "object" && value !== null ? parse(stringify(value)) : value;
  }
  return kept;
}
