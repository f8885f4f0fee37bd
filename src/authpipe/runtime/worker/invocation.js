// @ts-check
/** One function being called: which one a piece of running code belongs to, how it ended, what it still has open. */

import { failed } from "./callback.js";
import { warn } from "./log.js";
import { AsyncVariable, getAsyncContext, now, setAsyncContext, stopTimer } from "./primordials.js";
import { messageOf } from "./words.js";

/**
 * @typedef {object} Settled how the function ended, fixed by whatever came first
 * @property {string} outcome
 * @property {string | null} message
 * @property {string | null} detail
 * @property {string} user JSON text, when the outcome is ok
 * @property {string} context JSON text, when the outcome is ok
 */

const variable = new AsyncVariable();
const outside = getAsyncContext();

/** Everything from here to `leave`, and what it starts, belongs to `invocation`. @param {Invocation} invocation */
export function enter(invocation) {
  setAsyncContext(outside);
  variable.enter(invocation);
}

/** Back to the worker program's own doings. */
export function leave() {
  setAsyncContext(outside);
}

/** The invocation that the running code belongs to. @returns {Invocation | undefined} */
export const current = () => variable.get();

/** One call of one step's function; its top-level code runs under it, too. */
export class Invocation {
  // Every field is declared: a declared one cannot be caught by a setter on Object.prototype.
  /** @type {import("./pipeline.js").Run} */ run;
  /** index of the step */
  number = 0;
  /** @type {import("./programs.js").Step} */ step;
  /** @type {import("./removals.js").Removals} */ removed;
  /** the call before this one in the run */
  /** @type {Invocation | null} */ previous;
  /** callback was called, or something else came first */
  over = false;
  /** @type {Settled | null} */ settled = null;
  /** @type {any} */ user = null;
  /** @type {any} */ context = null;
  /** declared parameters of the pipe */
  parameters = 3;
  /** the pipe has returned, and the promise it returned, if any, has resolved */
  returned = false;
  /** its run is over: nothing it does is heard any more */
  closed = false;
  /** timers and host calls that are open */
  timers = 0;
  calls = 0;
  /** @type {Set<any> | null} */ records = null;
  /** log lines and bytes so far */
  lines = 0;
  bytes = 0;
  muted = false;
  startedAt = now();
  endedAt = 0;
  /** @type {any} */ deadline = null;

  /**
   * @param {import("./pipeline.js").Run} run
   * @param {number} number index of the step
   */
  constructor(run, number) {
    this.run = run;
    this.number = number;
    this.step = run.plan.steps[number];
    this.removed = run.removed;
    this.previous = run.invocation;
  }

  /** Whether a callback may still come of itself, as far as that is counted. */
  get waits() {
    return !this.returned || this.timers > 0 || this.calls > 0;
  }

  /** Fixes how the function ended. @param {Settled} settled */
  settle(settled) {
    this.over = true;
    this.settled = settled;
    this.endedAt = now();
    if (this.deadline !== null) stopTimer(this.deadline);
    this.run.wake();
  }

  /** Something the function started failed and nobody caught it. @param {any} error */
  threw(error) {
    if (this.over) {
      warn(this, `failed after its callback: ${messageOf(error)}`);
      return;
    }
    this.over = true;
    const settled = failed("threw", error);
    if (settled.message === "Array buffer allocation failed") settled.outcome = "memory_exceeded";
    this.settle(settled);
  }

  /** One of the things it had open has ended. */
  idle() {
    if (this.settled === null ? !this.waits : this.run.ended && this.run.calls === 0) this.run.wake();
  }
}
