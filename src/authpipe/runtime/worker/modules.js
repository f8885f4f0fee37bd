// @ts-check
/** `require` as tenant code sees it: Node's built-ins, our bundles, `./utils`, and stubs for what is refused. */

import acornSource from "../../packages/bundles/acorn.js" with { type: "text" };
import axiosSource from "../../packages/bundles/axios.js" with { type: "text" };
import lodashSource from "../../packages/bundles/lodash.js" with { type: "text" };
import { compileBody } from "./compile.js";
import { refuseRequests } from "./egress.js";
import { ipRangeCheck } from "./ip_range.js";
import { nodeModule } from "./node.js";
import { apply, create, sliceText } from "./primordials.js";
import { isRefused, stub } from "./refused.js";
import { timersModule, timersPromisesModule } from "./timers.js";

/** What of Node may be loaded as it is. */
const BUILT_IN = [
  ..."assert assert/strict async_hooks buffer constants crypto diagnostics_channel events os path path/posix".split(
    " ",
  ),
  ..."path/win32 perf_hooks punycode querystring stream stream/promises stream/web stream/consumers".split(" "),
  ..."string_decoder sys url util util/types zlib".split(" "),
];

/** @type {Record<string, () => any>} The closed set of modules and how each is made. */
const SOURCES = create(null);
for (const name of BUILT_IN) SOURCES[name] = SOURCES[`node:${name}`] = () => nodeModule(name);
for (const prefix of ["", "node:"]) {
  SOURCES[`${prefix}timers`] = () => timersModule;
  SOURCES[`${prefix}timers/promises`] = () => timersPromisesModule;
  SOURCES[`${prefix}process`] = () => globalThis.process;
  SOURCES[`${prefix}console`] = () => globalThis.console;
}
SOURCES.lodash = () => bundle(lodashSource, "lodash");
SOURCES.axios = () => refuseRequests(bundle(axiosSource, "axios"));
SOURCES["./utils"] = SOURCES.utils = () => ({ ipRangeCheck });

/** @type {Record<string, any>} what has been made, by name */
const made = create(null);

/** @param {any} name */
function require(name) {
  if (typeof name !== "string") throw new TypeError("require needs the name of a module");
  if (name in made) return made[name];
  const bare = sliceText(name, 0, 5) === "node:" ? sliceText(name, 5) : name;
  return (made[name] = make(bare, name));
}

/** @param {string} bare @param {string} name */
function make(bare, name) {
  if (isRefused(bare)) return stub(bare);
  const source = SOURCES[name];
  if (source !== undefined) return source();
  const known = "only Node built-ins, lodash, axios and ./utils are available";
  throw Object.assign(new Error(`Cannot find module '${name}': ${known}`), { code: "MODULE_NOT_FOUND" });
}

/** The `require` of tenant code: the same for all, since one user pool owns the worker. */
export const makeRequire = () => require;

/** Evaluates a bundle of ours. @param {string} source @param {string} name */
function bundle(source, name) {
  const body = compileBody(source, `file:///bundles/${name}.js`, ["exports", "module", "require"]);
  const module = { exports: /** @type {any} */ ({}) };
  apply(body, globalThis, [module.exports, module, require]);
  return module.exports.default ?? module.exports;
}

/** The parser of the compile check. */
export const acorn = () => (made["acorn "] ??= bundle(acornSource, "acorn"));
