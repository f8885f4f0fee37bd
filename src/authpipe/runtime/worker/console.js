// @ts-check
/** `log` and `console`, both written to the run log. */

import { current } from "./invocation.js";
import { line } from "./log.js";

const METHODS = "log info warn error debug trace dir dirxml table group groupCollapsed timeLog timeEnd count".split(
  " ",
);
const SILENT = "groupEnd time countReset clear profile profileEnd timeStamp".split(" ");

/** What tenant code finds as `log`. @param {any[]} args */
export function log(...args) {
  line(current(), "log", "log", args);
}

/** What tenant code finds as `console`. */
export const console = {
  /** @param {any} condition @param {any[]} args */
  assert(condition, ...args) {
    if (!condition) line(current(), "console", "assert", args);
  },
};
for (const name of METHODS) add(name, (...args) => line(current(), "console", name, args));
for (const name of SILENT) add(name, () => {});

/** @param {string} name @param {(...args: any[]) => void} method */
function add(name, method) {
  /** @type {any} */ (console)[name] = method;
}
