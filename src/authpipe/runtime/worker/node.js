// @ts-check
/** Node's process object and built-in modules, loaded when somebody first asks: that costs as much as starting Deno. */

import { withDeno } from "./deno_global.js";
import { current } from "./invocation.js";
import { line } from "./log.js";
import { apply, defineProperty, exit } from "./primordials.js";

const descriptor = /** @type {any} */ (Object.getOwnPropertyDescriptor(globalThis, "process"));
const buffer = /** @type {any} */ (Object.getOwnPropertyDescriptor(globalThis, "Buffer"));

/** Members of process that lead out of the box or into Node's internals. */
const NEUTRALISED = ["binding", "_linkedBinding", "getBuiltinModule", "dlopen", "mainModule", "openStdin", "_rawDebug"];

/** What a shell calls an abort. */
const ABORTED = 134;

/** @type {any} */
let loaded = null;
/** @type {(name: string) => any} */
let load;

/** The process object. */
export function nodeProcess() {
  return (loaded ??= withDeno(prepared));
}

/** The built-in module `name`. @param {string} name */
export function nodeModule(name) {
  nodeProcess();
  return withDeno(() => load(name));
}

/** The Buffer class. */
export const nodeBuffer = () => withDeno(() => apply(buffer.get, globalThis, []));

function prepared() {
  const process = apply(descriptor.get, globalThis, []);
  load = process.getBuiltinModule;
  for (let i = 0; i < NEUTRALISED.length; i++) replace(process, NEUTRALISED[i], refuse(NEUTRALISED[i]));
  replace(process, "mainModule", undefined);
  replace(process, "exit", exit);
  replace(process, "reallyExit", exit);
  replace(process, "abort", () => exit(ABORTED));
  replace(process, "stdout", output("stdout"));
  replace(process, "stderr", output("stderr"));
  return process;
}

/** @param {any} object @param {string} name @param {any} value */
function replace(object, name, value) {
  defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });
}

/** @param {string} name */
const refuse = (name) => () => {
  throw new Error(`process.${name} is not available in functions`);
};

/** A stream-like that writes to the run log: the real one carries frames. @param {string} name */
const output = (name) => ({
  isTTY: false,
  writable: true,
  write: (/** @type {any} */ text) => {
    line(current(), "console", name, [`${text}`]);
    return true;
  },
  end: () => {},
  on: () => {},
  once: () => {},
});
