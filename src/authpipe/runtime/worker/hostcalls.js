// @ts-check
/**
 * Host calls: what a function asks of the server, as a promise each.
 *
 * Open: {call, run, step, name, arguments, body}; the answer is End: {call, value} or {call, error: {code, message}}.
 * Chunk (u32 call, then bytes) and Credit ({call, bytes}) are reserved for bodies that stream; no call uses them yet.
 */

import { HOST_CALL_OPEN, send } from "./frames.js";
import { current } from "./invocation.js";
import { byteLength, create, hasOwn, Later, parse, stringify, TextError } from "./primordials.js";
import { measure } from "./snapshot.js";
import { hasHalfCharacter, quote } from "./words.js";

const ARGUMENT_BYTES = 60 * 1024;

/**
 * @typedef {object} Call
 * @property {import("./invocation.js").Invocation} invocation
 * @property {(value: any) => void} resolve
 * @property {(error: any) => void} reject
 */

/** @type {Record<number, Call>} open calls by number */
const calls = create(null);
let opened = 0;
let open = 0;

/** How many calls wait for an answer. */
export const openCalls = () => open;

/**
 * Asks the server. Rejects with an Error that has a `code`.
 * @param {string} name
 * @param {any} args anything JSON
 * @returns {Promise<any>}
 */
export function hostCall(name, args) {
  return new Later((resolve, reject) => {
    const invocation = current();
    if (invocation === undefined || invocation.closed) {
      reject(coded("ERR_RUN_OVER", `${name} was called after its run was over`));
      return;
    }
    const text = argumentText(args);
    if (text === null) {
      const why = "they are larger than 60 KiB, nest too deep or are no JSON";
      reject(coded("ERR_BAD_ARGUMENTS", `the arguments of ${name} cannot be sent: ${why}`));
      return;
    }
    begin({ invocation, resolve, reject }, name, text);
  });
}

/** @param {any} args @returns {string | null} */
function argumentText(args) {
  try {
    measure(args, 1, ARGUMENT_BYTES);
    const text = stringify(args);
    return byteLength(text) > ARGUMENT_BYTES || hasHalfCharacter(text) ? null : text;
  } catch {
    return null;
  }
}

/** @param {Call} call @param {string} name @param {string} text */
function begin(call, name, text) {
  const { invocation } = call;
  const { run, number } = invocation;
  calls[++opened] = call;
  open++;
  invocation.calls++;
  run.calls++;
  const head = `{"call":${opened},"run":${run.number},"step":${number},"name":${quote(name)}`;
  send(HOST_CALL_OPEN, `${head},"arguments":${text},"body":false}`);
  run.wake();
}

/** Hands an answer to whoever asked. @param {string} text payload of a HostCallEnd frame */
export function ended(text) {
  const answer = parse(text);
  const { call: number } = answer;
  const call = calls[number];
  if (call === undefined) return;
  delete calls[number];
  open--;
  const { invocation } = call;
  invocation.calls--;
  invocation.run.calls--;
  const error = hasOwn(answer, "error") ? answer.error : null;
  if (error === null) call.resolve(hasOwn(answer, "value") ? answer.value : null);
  else call.reject(coded(error.code, error.message));
  invocation.idle();
}

/** @param {string} code @param {string} message */
export function coded(code, message) {
  const error = /** @type {any} */ (new TextError(message));
  error.code = code;
  return error;
}
