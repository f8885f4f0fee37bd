// @ts-check
/** Lines of the run log: arguments made safe for JSON, capped, and written before `log` returns. */

import { LOG, send } from "./frames.js";
import { byteLength, isArray, isNativeError, isView, keys, Text } from "./primordials.js";
import { cut, quote, stackOf } from "./words.js";

const DEPTH = 16;
const LINE_BYTES = 48 * 1024;

/**
 * One line of an invocation's log, unless its limit is reached or its run is over.
 * @param {import("./invocation.js").Invocation | undefined} invocation
 * @param {"log" | "console" | "warning"} kind
 * @param {string} level name of the console method
 * @param {any[]} args
 */
export function line(invocation, kind, level, args) {
  if (invocation === undefined || invocation.closed || invocation.muted) return;
  write(invocation, kind, level, encodeAll(args));
}

/** What authpipe tells the author about odd use of the contract. @param {any} invocation @param {string} text */
export function warn(invocation, text) {
  if (invocation === undefined || invocation.closed || invocation.muted) return;
  write(invocation, "warning", "warn", `[${quote(cut(text, 2048))}]`);
}

/**
 * @param {import("./invocation.js").Invocation} invocation
 * @param {string} kind
 * @param {string} level
 * @param {string} args JSON text
 */
function write(invocation, kind, level, args) {
  const { run, number } = invocation;
  const { logLines, logBytes } = run.plan;
  invocation.lines++;
  invocation.bytes += byteLength(args);
  if (invocation.lines > logLines || invocation.bytes > logBytes) {
    invocation.muted = true;
    kind = level = "warning";
    args = '["log limit reached"]';
  }
  send(LOG, `{"run":${run.number},"step":${number},"kind":"${kind}","level":"${level}","args":${args}}`);
}

/** @param {any[]} args own array of the worker program @returns {string} */
function encodeAll(args) {
  const budget = { left: LINE_BYTES };
  let text = "";
  try {
    for (let i = 0; i < args.length; i++) text += (i ? "," : "") + encode(args[i], null, 0, budget);
  } catch (error) {
    return error === budget ? '["[a line too long for the log]"]' : '["[a value that cannot be read]"]';
  }
  return `[${text}]`;
}

/**
 * @typedef {{value: object, up: Chain} | null} Chain the objects being encoded, innermost first
 */

/**
 * JSON text of any value. Throws `budget` itself when there is too much of it.
 * @param {any} value
 * @param {Chain} chain
 * @param {number} depth
 * @param {{left: number}} budget
 * @returns {string}
 */
function encode(value, chain, depth, budget) {
  if (typeof value === "object" && value !== null) return encodeObject(value, chain, depth, budget);
  if (typeof value === "string" && value.length > budget.left) throw budget;
  const text = primitive(value);
  budget.left -= byteLength(text) + 1;
  if (budget.left < 0) throw budget;
  return text;
}

/** @param {any} value @returns {string} */
function primitive(value) {
  switch (typeof value) {
    case "string":
      return quote(value);
    case "boolean":
      return value ? "true" : "false";
    case "number":
      return value - value === 0 ? `${value}` : `"${value}"`;
    case "bigint":
      return `"${value}n"`;
    case "function":
      return '"[Function]"';
    case "symbol":
      return quote(Text(value));
    default:
      return value === null ? "null" : '"undefined"';
  }
}

/**
 * @param {any} value
 * @param {Chain} chain
 * @param {number} depth
 * @param {{left: number}} budget
 */
function encodeObject(value, chain, depth, budget) {
  for (let up = chain; up !== null; up = up.up) if (up.value === value) return '"[Circular]"';
  if (depth >= DEPTH) return '"[…]"';
  if (isView(value)) return '"[binary data]"';
  const inner = { value, up: chain };
  if (isNativeError(value)) return encodeError(value, inner, depth, budget);
  if (isArray(value)) return encodeArray(value, inner, depth, budget);
  const { toJSON } = value;
  if (typeof toJSON === "function") return encode(value.toJSON(), inner, depth + 1, budget);
  return encodeMembers(value, keys(value), inner, depth, budget);
}

/** @param {any} error @param {Chain} chain @param {number} depth @param {{left: number}} budget */
function encodeError(error, chain, depth, budget) {
  const message = encode(error.message, chain, depth + 1, budget);
  return `{"message":${message},"stack":${encode(stackOf(error), chain, depth + 1, budget)}}`;
}

/** @param {any[]} list @param {Chain} chain @param {number} depth @param {{left: number}} budget */
function encodeArray(list, chain, depth, budget) {
  let text = "";
  const { length } = list;
  for (let i = 0; i < length; i++) text += (i ? "," : "") + encode(list[i], chain, depth + 1, budget);
  return `[${text}]`;
}

/**
 * @param {any} value
 * @param {string[]} names
 * @param {Chain} chain
 * @param {number} depth
 * @param {{left: number}} budget
 */
function encodeMembers(value, names, chain, depth, budget) {
  let text = "";
  for (let i = 0; i < names.length; i++) {
    const member = value[names[i]];
    if (member === undefined) continue;
    const name = encode(names[i], chain, depth, budget);
    text += `${text ? "," : ""}${name}:${encode(member, chain, depth + 1, budget)}`;
  }
  return `{${text}}`;
}
