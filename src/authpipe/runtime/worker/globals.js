// @ts-check
/** globalThis as tenant code finds it. Source: contract.md, section 5. */

import { authing } from "./authing.js";
import { console, log } from "./console.js";
import { hideDeno } from "./deno_global.js";
import { fetch } from "./egress.js";
import { makeRequire } from "./modules.js";
import { nodeBuffer, nodeProcess } from "./node.js";
import { assign, create, defineProperty, environment, freeze, setVariable } from "./primordials.js";
import { timers } from "./timers.js";

/** What would talk to the outside, start threads, or write over the frames on standard output. */
const REMOVED = [
  ..."Worker WebSocket WebSocketStream EventSource BroadcastChannel SharedWorker WebTransport".split(" "),
  ..."alert confirm prompt caches localStorage sessionStorage indexedDB XMLHttpRequest".split(" "),
  ..."createImageBitmap ImageBitmap close".split(" "),
];

/** Puts everything in place, before any tenant code is there. */
export function install() {
  for (const name of REMOVED) delete (/** @type {any} */ (globalThis)[name]);
  const require = makeRequire();
  for (const [name, value] of Object.entries({ ...timers, authing, console, fetch, log, require })) define(name, value);
  lazily("axios", () => require("axios"));
  lazily("process", nodeProcess);
  lazily("Buffer", nodeBuffer);
  define("global", globalThis);
  define("env", freeze(create(null)));
  // Deno itself adds variables to what it was started with.
  for (const name of Object.keys(environment.toObject())) environment.delete(name);
  hideDeno();
}

/** @param {string} name @param {any} value */
function define(name, value) {
  defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
}

/** A global that is made when it is first read. @param {string} name @param {() => any} make */
function lazily(name, make) {
  defineProperty(globalThis, name, {
    configurable: true,
    get() {
      const value = make();
      define(name, value);
      return value;
    },
    set: (value) => define(name, value),
  });
}

let prepared = false;

/** Time zone and environment of the user pool, before the first of its code. @param {import("./programs.js").Plan} plan */
export function prepare(plan) {
  if (prepared) return;
  prepared = true;
  setVariable("TZ", plan.settings.timeZone);
  define("env", freeze(assign({}, plan.environment)));
}
