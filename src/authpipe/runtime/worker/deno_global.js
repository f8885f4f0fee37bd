// @ts-check
/** What is left of `Deno`: the harmless part that Node's modules ask for when called, all of it while they load. */

import { create, defineProperty } from "./primordials.js";

const real = /** @type {any} */ (Deno);
let whole = false;

/** Members that Node's modules look up late. None of them reaches further than the worker's own permissions. */
const KEPT = [
  ..."args build cpuUsage env errors execPath gid hostname inspect loadavg memoryUsage networkInterfaces noColor".split(
    " ",
  ),
  ..."osRelease osUptime pid ppid refTimer systemMemoryInfo uid unrefTimer version".split(" "),
];

/** Hides the rest: standard input and output, the event loop's internals, files, processes. */
export function hideDeno() {
  const rest = create(null);
  for (const name of KEPT) defineProperty(rest, name, { enumerable: true, get: () => real[name] });
  Object.freeze(rest);
  defineProperty(globalThis, "Deno", { configurable: false, get: () => (whole ? real : rest) });
}

/** What `load` returns; it may see all of `Deno`. @template T @param {() => T} load @returns {T} */
export function withDeno(load) {
  const before = whole;
  whole = true;
  try {
    return load();
  } finally {
    whole = before;
  }
}
