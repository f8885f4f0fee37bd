// @ts-check
/** The plans a worker was given: sources kept as text, evaluated once per function and revision, when first needed. */

import { failed } from "./callback.js";
import { compileBody } from "./compile.js";
import { makeRequire } from "./modules.js";
import { apply, parse, setPrototypeOf } from "./primordials.js";
import { fileName, SOURCE_ROOT } from "./words.js";

/**
 * @typedef {object} Step one function at its place in a plan, as the Load frame has it
 * @property {string} functionId
 * @property {string} name
 * @property {number} revision
 * @property {string} source
 * @property {number | null} parameters declared parameters of `pipe`
 * @property {boolean} asynchronous
 * @property {number} timeout milliseconds
 * @property {boolean} skips the flow goes on without it when it never calls back
 * @property {string | null} broken why it cannot run
 */

/**
 * @typedef {object} Plan
 * @property {number} plan
 * @property {string} scene
 * @property {any} settings
 * @property {Record<string, string>} environment
 * @property {Record<string, true>} accumulators
 * @property {string[]} readOnly
 * @property {number} logLines
 * @property {number} logBytes
 * @property {Step[]} steps
 */

/**
 * @typedef {object} Program what evaluating a source came to
 * @property {Function | null} pipe
 * @property {import("./invocation.js").Settled | null} failure
 */

/** @type {Record<string, Program>} by function id and revision */
const programs = Object.create(null);
/** @type {Record<number, Plan>} by number */
const plans = Object.create(null);

/** Keeps the plan of a Load frame. @param {string} text @returns {Plan} */
export function load(text) {
  const plan = parse(text);
  setPrototypeOf(plan, null);
  /** @type {any} */
  const accumulators = { __proto__: null };
  for (let i = 0; i < plan.accumulators.length; i++) accumulators[plan.accumulators[i]] = true;
  plan.accumulators = accumulators;
  plan.settings = { __proto__: null, ...plan.settings };
  for (let i = 0; i < plan.steps.length; i++) setPrototypeOf(plan.steps[i], null);
  plans[plan.plan] = plan;
  return plan;
}

/** @param {number} number */
export const planOf = (number) => plans[number];

/** @param {Step} step */
const keyOf = (step) => `${step.functionId}@${step.revision}`;

/** The evaluated program of a step, undefined before its first evaluation. @param {Step} step */
export const evaluated = (step) => programs[keyOf(step)];

/** Runs a step's top-level code, the only time it runs in this worker. @param {Step} step @returns {Program} */
export function evaluate(step) {
  const program = evaluateNow(step);
  programs[keyOf(step)] = program;
  return program;
}

/** @param {Step} step @returns {Program} */
function evaluateNow(step) {
  if (typeof step.broken === "string") return broken(step.broken);
  try {
    const pipe = findPipe(step);
    if (typeof pipe === "function") return { pipe, failure: null };
    return broken("there is no function called pipe");
  } catch (error) {
    return { pipe: null, failure: failed("threw", error, "top-level code threw: ") };
  }
}

/** @param {string} message @returns {Program} */
function broken(message) {
  return { pipe: null, failure: { outcome: "threw", message, detail: null, user: "", context: "" } };
}

export const NAMES = ["exports", "module", "require"];
/** Behind the source, on a line of its own, so that the source's own lines and columns stay right. */
export const ENDING = "\n;return typeof pipe === 'function' ? pipe : undefined;";

/** @param {Step} step */
function findPipe(step) {
  // A pipe that another function left behind as an implicit global must not stand in for a missing one.
  delete (/** @type {any} */ (globalThis).pipe);
  const body = compileBody(step.source + ENDING, SOURCE_ROOT + fileName(step.name), NAMES);
  const module = { exports: {} };
  const declared = apply(body, globalThis, [module.exports, module, makeRequire()]);
  if (typeof declared === "function") return declared;
  /** @type {any} */
  const exported = module.exports;
  return typeof exported === "function" ? exported : exported?.pipe;
}
