// @ts-check
/** A run: one function after the other, each with its start mark, callback rules, time-out, JSON hop and effects. */

import { interpret } from "./callback.js";
import { RESULT, send, START_MARK } from "./frames.js";
import { enter, Invocation, leave } from "./invocation.js";
import { warn } from "./log.js";
import {
  defineProperty,
  hasMoreWork,
  hasOwn,
  hasTicks,
  isPromise,
  max,
  now,
  parse,
  refTimer,
  round,
  runMicrotasks,
  runTicks,
  soon,
  startTimer,
  stringify,
  then,
  unrefTimer,
} from "./primordials.js";
import { evaluate, evaluated, planOf } from "./programs.js";
import { releaseTimers } from "./timers.js";
import { NOTHING_REMOVED, removalsOf, removalsText } from "./removals.js";
import { attach, readOnlyFields } from "./user.js";
import { quote } from "./words.js";

/** How often work that is not counted, such as a digest in the background, is looked at, milliseconds. */
const LOOK_AGAIN = 10;
const PLAIN = { __proto__: null, value: undefined, configurable: true };

/** One traversal of a plan. */
export class Run {
  // Every field is declared: a declared one cannot be caught by a setter on Object.prototype.
  text;
  onWake;
  number = 0;
  /** @type {import("./programs.js").Plan} */ plan;
  /** index of the current step */
  at = 0;
  /** @type {any} */ user;
  /** @type {any} */ context;
  /** @type {import("./removals.js").Removals} */ removed;
  /** read-only fields of user */
  /** @type {any} */ kept;
  /** the Result has been written */
  ended = false;
  timedOut = false;
  /** host calls that are open */
  calls = 0;
  /** what is being called, else what was called last */
  /** @type {Invocation | null} */ invocation = null;
  between = true;
  /** JSON texts of the values before the current step; empty while they are what the frame said */
  userText = "";
  contextText = "";
  /** report of the last step, and the checkpoint, for the next frame */
  last = "";
  checkpoint = "";
  /** it is being advanced, or soon will be */
  busy = false;
  released = false;
  settlesAt = 0;

  /**
   * @param {string} text payload of the Run frame
   * @param {(run: Run) => void} onWake called from the event loop when there is something to advance
   */
  constructor(text, onWake) {
    const frame = parse(text);
    this.text = text;
    this.onWake = onWake;
    this.number = frame.run;
    this.plan = planOf(frame.plan);
    this.at = frame.from;
    this.user = frame.user;
    this.context = frame.context;
    this.removed = hasOwn(frame, "removed") && frame.removed ? removalsOf(frame.removed) : NOTHING_REMOVED;
    this.kept = readOnlyFields(frame.user ?? {}, this.plan.readOnly);
  }

  /** Asks to be advanced by the event loop, where microtasks can be drained. */
  wake() {
    if (this.busy) return;
    this.busy = true;
    soon(() => this.onWake(this));
  }
}

/**
 * Goes as far as it gets without the event loop. Must not be called from a microtask.
 * @param {Run} run
 * @returns {boolean} whether the Result has been written
 */
export function runPipeline(run) {
  run.busy = true;
  while (!run.ended) {
    if (run.between) {
      if (run.at >= run.plan.steps.length) finish(run, true);
      else begin(run, run.plan.steps[run.at]);
    } else if (!conclude(run, /** @type {Invocation} */ (run.invocation))) {
      break;
    }
  }
  run.busy = false;
  return run.ended;
}

/** @param {Run} run @param {import("./programs.js").Step} step */
function begin(run, step) {
  if (step.asynchronous) {
    mark(run, "");
    run.at++;
    return;
  }
  const invocation = new Invocation(run, run.at);
  let program = evaluated(step);
  run.invocation = invocation;
  run.between = false;
  if (program === undefined) {
    mark(run, ',"loading":true');
    enter(invocation);
    program = evaluate(step);
    leave();
  }
  mark(run, "");
  invocation.startedAt = now();
  if (program.failure !== null) invocation.settle(program.failure);
  else invoke(invocation, /** @type {Function} */ (program.pipe));
}

/** Announces the current step, before any of its code runs. @param {Run} run @param {string} loading */
function mark(run, loading) {
  send(START_MARK, `{"run":${run.number},"step":${run.at}${loading}${run.last}${run.checkpoint}}`);
  run.last = run.checkpoint = "";
}

/** @param {Invocation} invocation @param {Function} pipe */
function invoke(invocation, pipe) {
  const { run, step } = invocation;
  const { user, context } = run;
  invocation.user = user === null ? null : attach(user, invocation);
  invocation.context = context;
  const callback = callbackOf(invocation);
  enter(invocation);
  try {
    invocation.parameters = step.parameters ?? pipe.length;
    watch(invocation, invocation.parameters === 2 ? pipe(context, callback) : pipe(user, context, callback));
  } catch (error) {
    invocation.threw(error);
  }
  leave();
}

/** @param {Invocation} invocation */
function callbackOf(invocation) {
  return (/** @type {any} */ error, /** @type {any} */ first, /** @type {any} */ second) => {
    if (invocation.over) {
      warn(invocation, "callback was called again; only the first call counts");
      return;
    }
    invocation.over = true;
    invocation.settle(interpret(invocation, error, first, second));
  };
}

/** @param {Invocation} invocation @param {any} value what the pipe returned */
function watch(invocation, value) {
  if (!isPromise(value)) {
    invocation.returned = true;
    return;
  }
  const done = () => {
    invocation.returned = true;
    invocation.idle();
  };
  // Without this, `then` would ask the tenant's Promise for a class to make its answer with.
  defineProperty(value, "constructor", /** @type {any} */ (PLAIN));
  then(value, done, (/** @type {any} */ error) => invocation.threw(error));
}

/**
 * Drains what the function left to do, and takes its outcome if it has one.
 * @param {Run} run
 * @param {Invocation} invocation
 * @returns {boolean} false while the event loop is needed
 */
function conclude(run, invocation) {
  runMicrotasks();
  while (hasTicks()) runTicks();
  if (invocation.settled === null && !invocation.waits && !worksOn(invocation)) noCallback(invocation);
  if (invocation.settled === null) {
    awaitDeadline(invocation);
    return false;
  }
  accept(run, invocation, invocation.settled);
  return true;
}

/** Whether something that is not counted may still call back. @param {Invocation} invocation */
function worksOn(invocation) {
  if (invocation.deadline !== null) unrefTimer(invocation.deadline);
  const works = hasMoreWork();
  if (invocation.deadline !== null) refTimer(invocation.deadline);
  if (works) unrefTimer(startTimer(() => invocation.run.wake(), LOOK_AGAIN));
  return works;
}

/** @param {Invocation} invocation */
function noCallback(invocation) {
  invocation.settle(plain("no_callback", "the function ended without calling back"));
}

/** @param {string} outcome @param {string} message */
const plain = (outcome, message) => ({ outcome, message, detail: null, user: "", context: "" });

/** @param {Invocation} invocation */
function awaitDeadline(invocation) {
  if (invocation.deadline !== null) return;
  const { timeout } = invocation.step;
  const left = timeout - (now() - invocation.startedAt);
  invocation.deadline = startTimer(() => {
    if (invocation.settled !== null) return;
    invocation.run.timedOut = true;
    invocation.settle(plain("timed_out", `the function did not call back within ${timeout / 1000} s`));
  }, max(left, 1));
}

/**
 * @param {Run} run
 * @param {Invocation} invocation
 * @param {import("./invocation.js").Settled} settled
 */
function accept(run, invocation, settled) {
  run.last = `,"last":${report(invocation, settled)}`;
  run.settlesAt = max(run.settlesAt, invocation.startedAt + invocation.step.timeout);
  if (settled.outcome === "ok") {
    run.userText = settled.user;
    run.contextText = settled.context;
    run.removed = invocation.removed;
    run.checkpoint = values(run);
  } else if (settled.outcome !== "no_callback" || !invocation.step.skips) {
    finish(run, false);
    return;
  }
  run.at++;
  run.between = true;
  if (run.at < run.plan.steps.length) restore(run);
}

/** Parses the values before the current step anew: nothing is shared between functions. @param {Run} run */
function restore(run) {
  if (run.userText === "") {
    const frame = parse(run.text);
    run.user = frame.user;
    run.context = frame.context;
  } else {
    run.user = parse(run.userText);
    run.context = parse(run.contextText);
  }
}

/** @param {Invocation} invocation @param {import("./invocation.js").Settled} settled */
function report(invocation, { outcome, message, detail }) {
  const ms = round((invocation.endedAt - invocation.startedAt) * 1000) / 1000;
  const texts = message === null ? "" : `,"message":${quote(message)}`;
  const more = detail === null ? "" : `,"detail":${quote(detail)}`;
  return `{"step":${invocation.number},"outcome":"${outcome}","ms":${ms}${texts}${more}}`;
}

/** @param {Run} run @param {boolean} whole every step went through or was skipped */
function finish(run, whole) {
  if (whole && run.checkpoint === "") {
    if (run.userText === "") original(run);
    run.checkpoint = values(run);
  }
  run.ended = true;
  const settling = run.calls > 0 && !run.timedOut;
  const end = whole ? run.checkpoint : "";
  send(RESULT, `{"run":${run.number}${run.last}${end},"settling":${settling}}`);
  if (!settling) release(run);
}

/** @param {Run} run */
function original(run) {
  const frame = parse(run.text);
  run.userText = stringify(frame.user);
  run.contextText = stringify(frame.context);
}

/** @param {Run} run */
function values({ userText, contextText, removed }) {
  const names = removed === NOTHING_REMOVED ? "" : `,"removed":${removalsText(removed)}`;
  return `,"user":${userText},"context":${contextText}${names}`;
}

/** Nothing of the run's functions is heard from here on, and their timers are gone. @param {Run} run */
export function release(run) {
  run.released = true;
  for (let invocation = run.invocation; invocation !== null; invocation = invocation.previous) {
    invocation.closed = true;
    releaseTimers(invocation);
  }
}
