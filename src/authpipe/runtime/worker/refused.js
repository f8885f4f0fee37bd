// @ts-check
/** Stand-ins for modules that reach outside: they load, so that packages which only mention them work; calls throw. */

import { create, makeProxy } from "./primordials.js";
import { nodeModule } from "./node.js";

const WEB = "use axios or fetch";
const NOTHING = "functions have no files; keep what you need in env or in the user's custom data";

/** @type {Record<string, string>} The closed set of refused modules: name → what to do instead. */
const ALTERNATIVES = {
  // @ts-ignore: a literal without a prototype
  __proto__: null,
  fs: NOTHING,
  "fs/promises": NOTHING,
  child_process: "functions cannot start programs",
  net: WEB,
  dgram: WEB,
  tls: WEB,
  dns: WEB,
  "dns/promises": WEB,
  http: WEB,
  https: WEB,
  http2: WEB,
  cluster: "functions run one at a time",
  worker_threads: "functions run on one thread",
  vm: "call the code directly",
  v8: "use structuredClone or JSON",
  inspector: "use log()",
  "inspector/promises": "use log()",
  repl: "use log()",
  readline: "functions have no terminal",
  "readline/promises": "functions have no terminal",
  tty: "functions have no terminal",
  wasi: "use JavaScript",
  sqlite: "keep what you need in the user's custom data",
  module: "use require",
  test: "run tests with `authpipe test`",
  "test/reporters": "run tests with `authpipe test`",
  trace_events: "use log()",
};

/** @type {Record<string, string[]>} members that are no functions but namespaces of such */
const NESTED = {
  // @ts-ignore: a literal without a prototype
  __proto__: null,
  fs: ["promises"],
  dns: ["promises"],
  readline: ["promises"],
  http: ["globalAgent"],
  https: ["globalAgent"],
};

/** @type {Record<string, string[]>} harmless members that are handed out as they are */
const CONSTANTS = {
  // @ts-ignore: a literal without a prototype
  __proto__: null,
  fs: ["constants"],
  http: ["STATUS_CODES", "METHODS"],
  http2: ["constants"],
  net: ["isIP", "isIPv4", "isIPv6"],
};

/** @type {Record<string, any>} members that a stub gives a fixed answer for */
const FIXED = {
  // @ts-ignore: a literal without a prototype
  __proto__: null,
  worker_threads: { __proto__: null, isMainThread: true },
  cluster: { __proto__: null, isMaster: true, isPrimary: true },
  tty: { __proto__: null, isatty: () => false },
};

/** @param {string} name module name without `node:` */
export const isRefused = (name) => ALTERNATIVES[name] !== undefined;

/** @type {(name: string) => any} by module name without `node:` */
export const stub = (name) => namespace(name, name);

/**
 * @param {string} path what the author wrote, such as `fs.promises`
 * @param {string} module
 * @returns {any}
 */
function namespace(path, module) {
  const members = create(null);
  return new makeProxy(create(null), {
    // @ts-ignore: a literal without a prototype
    __proto__: null,
    get(_target, name) {
      if (typeof name !== "string" || name === "then" || name === "__esModule") return undefined;
      return name in members ? members[name] : (members[name] = member(path, module, name));
    },
    set(_target, name, value) {
      members[name] = value;
      return true;
    },
    has: (_target, name) => typeof name === "string" && name !== "then",
  });
}

/** @param {string} path @param {string} module @param {string} name @returns {any} */
function member(path, module, name) {
  if (name === "default") return stub(module);
  if (includes(CONSTANTS[module], name)) return nodeModule(module)[name];
  const fixed = FIXED[module];
  if (fixed !== undefined && name in fixed) return fixed[name];
  if (includes(NESTED[module], name)) return namespace(`${path}.${name}`, module);
  return refusal(`${path}.${name}`, ALTERNATIVES[module]);
}

/** @param {string[] | undefined} list @param {string} name */
function includes(list, name) {
  if (list !== undefined) { for (let i = 0; i < list.length; i++) if (list[i] === name) return true; }
  return false;
}

/**
 * A function and a class at once, so that it can be promisified, wrapped and extended.
 * @param {string} path
 * @param {string} instead
 */
function refusal(path, instead) {
  return function () {
    const error = new Error(`${path} is not available in functions: ${instead}`);
    throw Object.assign(error, { code: "ERR_ACCESS_DENIED" });
  };
}
