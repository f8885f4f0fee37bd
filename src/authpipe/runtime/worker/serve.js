// @ts-check
/** The loop: takes frames, starts runs, waits in a blocking read when idle and in the event loop when it must. */

import { check } from "./check.js";
import {
  CANCEL,
  CHECK,
  CHECKED,
  fill,
  fillLater,
  HOST_CALL_CHUNK,
  HOST_CALL_CREDIT,
  HOST_CALL_END,
  kind,
  LOAD,
  next,
  READY,
  RUN,
  send,
  took,
} from "./frames.js";
import { prepare } from "./globals.js";
import { ended, openCalls } from "./hostcalls.js";
import { exit, max, now, refOp, soon, startTimer, then, unrefOp } from "./primordials.js";
import { release, Run, runPipeline } from "./pipeline.js";
import { load } from "./programs.js";

/** Runs after which the event loop gets a turn: rejections nobody handled are let go only there. */
const TURN_EVERY = 64;

/** Runs under way, those that settle included, and how many there may be. */
let active = 0;
let limit = 1;
/** Runs until the event loop's next turn. */
let untilTurn = TURN_EVERY;
/** A run has timed out: whatever it left behind must not go on. */
let dead = false;
/** @type {Run | null} the run that started last */
let latest = null;
/** Exit code when the worker program itself is at its wit's end. */
const BROKEN = 70;
/** The asynchronous read under way. @type {Promise<number> | null} */
let reading = null;

/** @typedef {{kind: number, text: string, next: Waiting} | null} Waiting a frame that came before its turn */
/** @type {Waiting} */ let oldest = null;
/** @type {Waiting} */ let newest = null;

/** Serves until the end of input. */
export function serve() {
  send(READY, '{"run":0}');
  pump();
}

/** Takes what there is to take. Must not be called from a microtask. */
function pump() {
  try {
    while (!dead && !takeAll());
    // The host kills us; until then nothing of the function that timed out may run.
    while (dead && fill()) while (next() !== null);
  } catch {
    exit(BROKEN);
  }
  if (dead) exit(0);
}

/** Serves until there is nothing to read. @returns {boolean} whether the event loop has to go on */
function takeAll() {
  while (active < limit && (takeWaiting() || takeRead()));
  if (dead) return false;
  if (active > 0 || reading !== null || limit > 1) {
    listen();
    return true;
  }
  if (untilTurn <= 0) {
    untilTurn = TURN_EVERY;
    soon(pump);
    return true;
  }
  if (!fill()) exit(0);
  return false;
}

/** Keeps an asynchronous read open while host calls or further runs may come in. */
function listen() {
  if (reading === null) {
    if (openCalls() === 0 && active >= limit) return;
    reading = fillLater();
    then(reading, heard, () => exit(0));
  }
  // While a run waits, its deadline keeps the event loop alive; the read must not look like work of the run's.
  if (active > 0) unrefOp(reading);
  else refOp(reading);
}

/** Answers to host calls go to their run at once, the rest waits its turn. @param {number} count */
function heard(count) {
  reading = null;
  if (!took(count)) exit(0);
  for (let text = next(); text !== null; text = next()) {
    if (HANDLERS[kind] === hostCall) hostCall(text);
    else wait(kind, text);
  }
  if (active < limit) soon(pump);
  else listen();
}

/** @param {number} kind @param {string} text */
function wait(kind, text) {
  const waiting = { kind, text, next: null };
  if (newest === null) oldest = waiting;
  else newest.next = waiting;
  newest = waiting;
}

function takeWaiting() {
  if (oldest === null) return false;
  const { kind, text, next } = oldest;
  oldest = next;
  if (next === null) newest = null;
  handle(kind, text);
  return true;
}

function takeRead() {
  if (reading !== null) return false;
  const text = next();
  if (text === null) return false;
  handle(kind, text);
  return true;
}

/** @param {number} kind @param {string} text */
function handle(kind, text) {
  const handler = HANDLERS[kind];
  if (handler === undefined) exit(BROKEN);
  handler(text);
}

/** @param {string} text */
function hostCall(text) {
  if (kind === HOST_CALL_END) ended(text);
}

/** @type {Record<number, (text: string) => void>} */
const HANDLERS = {
  // @ts-ignore: a literal without a prototype
  __proto__: null,
  [LOAD](text) {
    const plan = load(text);
    limit = max(1, plan.settings.runsPerWorker ?? 1);
    prepare(plan);
  },
  [RUN](text) {
    active++;
    latest = new Run(text, onWake);
    advance(latest);
  },
  [CHECK](text) {
    send(CHECKED, check(text));
  },
  [CANCEL]() {},
  [HOST_CALL_CHUNK]: hostCall,
  [HOST_CALL_CREDIT]: hostCall,
  [HOST_CALL_END]: hostCall,
};

/** @param {Run} run */
function onWake(run) {
  run.busy = false;
  try {
    advance(run);
  } catch {
    exit(BROKEN);
  }
  pump();
}

/** @param {Run} run */
function advance(run) {
  if (!run.ended) {
    if (!runPipeline(run)) return;
    if (run.timedOut) dead = true;
    else if (run.calls === 0) finished();
    else startTimer(() => settled(run), max(run.settlesAt - now(), 1));
  } else if (run.calls === 0) {
    settled(run);
  }
}

function finished() {
  active--;
  untilTurn--;
}

/** Its host calls are done, or its time is up: no more of it, on to the next. @param {Run} run */
function settled(run) {
  if (run.released) return;
  release(run);
  finished();
  send(READY, `{"run":${run.number}}`);
  soon(pump);
}

/** What an error that carries no attribution can only belong to: the one invocation there is. */
export const onlyInvocation = () => (limit === 1 && latest !== null ? latest.invocation : null);
