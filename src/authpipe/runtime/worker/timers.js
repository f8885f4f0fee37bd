// @ts-check
/** Timers as tenant code sees them: counted, attributed to their invocation, and cleared when its run is over. */

import { withDeno } from "./deno_global.js";
import { current } from "./invocation.js";
import {
  addMember,
  apply,
  assign,
  deleteMember,
  eachMember,
  getWeak,
  Later,
  Members,
  setWeak,
  Weak,
} from "./primordials.js";

/**
 * @typedef {object} Record
 * @property {import("./invocation.js").Invocation} invocation
 * @property {any} handle
 * @property {(handle: any) => void} stop
 * @property {boolean} repeats
 */

/** @type {WeakMap<object, Record>} by handle */
const records = new Weak();
/** Node's timers, as they were before tenant code, each loaded when first used. @type {any} */
const real = Object.create(null);
for (const name of ["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate"]) {
  const descriptor = /** @type {any} */ (Object.getOwnPropertyDescriptor(globalThis, name));
  const load = descriptor.get ?? (() => descriptor.value);
  Object.defineProperty(real, name, { get: () => withDeno(() => apply(load, globalThis, [])) });
}
const PROMISIFIED = Symbol.for("nodejs.util.promisify.custom");

/**
 * @param {(work: () => void, delay: any) => any} start
 * @param {(handle: any) => void} stop
 * @param {boolean} repeats
 * @param {any} work
 * @param {any} delay
 * @param {any[]} args
 */
function begin(start, stop, repeats, work, delay, args) {
  if (typeof work !== "function") throw new TypeError("a timer needs a function");
  const invocation = current();
  if (invocation === undefined || invocation.closed) return stopped();
  /** @type {Record} */
  const record = { invocation, handle: null, stop, repeats };
  record.handle = start(() => fire(record, work, args), delay);
  setWeak(records, record.handle, record);
  invocation.records ??= new Members();
  addMember(invocation.records, record);
  invocation.timers++;
  return record.handle;
}

/** A handle like any other, of a timer that never fires. */
function stopped() {
  const handle = real.setTimeout(() => {}, 1);
  real.clearTimeout(handle);
  return handle;
}

/** @param {Record} record @param {Function} work @param {any[]} args */
function fire(record, work, args) {
  const { invocation } = record;
  if (invocation.closed) return;
  try {
    apply(work, globalThis, args);
  } catch (error) {
    invocation.threw(error);
  }
  if (!record.repeats) forget(record);
}

/** @param {Record} record */
function forget(record) {
  const { invocation } = record;
  if (invocation.records === null || !deleteMember(invocation.records, record)) return;
  invocation.timers--;
  invocation.idle();
}

/** @param {any} handle @param {(handle: any) => void} stop */
function clear(handle, stop) {
  const record = typeof handle === "object" && handle !== null ? getWeak(records, handle) : undefined;
  if (record === undefined) stop(handle);
  else {
    record.stop(handle);
    forget(record);
  }
}

/** Clears what a run left behind. @param {import("./invocation.js").Invocation} invocation */
export function releaseTimers(invocation) {
  const { records: left } = invocation;
  if (left === null) return;
  invocation.records = null;
  invocation.timers = 0;
  eachMember(left, (/** @type {Record} */ record) => record.stop(record.handle));
}

/** @param {any} work @param {any} [delay] @param {any[]} args */
function setTimeout(work, delay, ...args) {
  return begin(real.setTimeout, real.clearTimeout, false, work, delay, args);
}
/** @param {any} work @param {any} [delay] @param {any[]} args */
function setInterval(work, delay, ...args) {
  return begin(real.setInterval, real.clearInterval, true, work, delay, args);
}
/** @param {any} work @param {any[]} args */
function setImmediate(work, ...args) {
  return begin(real.setImmediate, real.clearImmediate, false, work, undefined, args);
}
/** @param {any} [handle] */
function clearTimeout(handle) {
  clear(handle, real.clearTimeout);
}
/** @param {any} [handle] */
function clearInterval(handle) {
  clear(handle, real.clearInterval);
}
/** @param {any} [handle] */
function clearImmediate(handle) {
  clear(handle, real.clearImmediate);
}

/** The promise forms, as in `node:timers/promises`. */
const promises = {
  /** @param {number} delay @param {any} value */
  setTimeout: (delay, value) => new Later((resolve) => setTimeout(() => resolve(value), delay)),
  /** @param {any} value */
  setImmediate: (value) => new Later((resolve) => setImmediate(() => resolve(value))),
  /** @param {number} delay @param {any} value */
  async *setInterval(delay, value) {
    for (;;) yield await promises.setTimeout(delay, value);
  },
};
assign(setTimeout, { [PROMISIFIED]: promises.setTimeout });
assign(setImmediate, { [PROMISIFIED]: promises.setImmediate });

/** What tenant code finds on globalThis. */
export const timers = { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate };
/** Stand-ins for `timers` and `timers/promises`. */
export const timersModule = { ...timers, promises };
export const timersPromisesModule = promises;
