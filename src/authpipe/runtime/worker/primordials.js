// @ts-check
/**
 * Everything the worker program itself uses of the language and of Deno, captured before tenant code can change it.
 *
 * Rules for the other files: call through these names, keep own state in null-prototype objects and in numbers, never
 * write by index into an array tenant code could have put setters under, never await or compare a tenant's object.
 */

const { bind, call } = Function.prototype;

/** @type {(method: Function) => (self: any, ...rest: any[]) => any} */
const uncurry = (method) => Reflect.apply(bind, call, [method]);

/** @param {object} prototype @param {string} name */
const getter = (prototype, name) => uncurry(/** @type {any} */ (Object.getOwnPropertyDescriptor(prototype, name)).get);

const host = /** @type {any} */ (Deno);
const core = host[host.internal].core;

export const { apply, has, setPrototypeOf, defineProperty } = Reflect;
export const { freeze, create, keys, assign } = Object;
export const hasOwn = Object.hasOwn;
export const { isArray } = Array;
export const { parse, stringify } = JSON;
export const { round, max } = Math;
export const { isView } = ArrayBuffer;
export const Bytes = Uint8Array;
export const TextError = Error;
export const Later = Promise;
export const makeProxy = Proxy;
export const Text = String;

export const then = uncurry(Promise.prototype.then);
export const sliceText = uncurry(String.prototype.slice);
export const findText = uncurry(String.prototype.indexOf);
export const wellFormed = uncurry(String.prototype.toWellFormed);
export const codeAt = uncurry(String.prototype.charCodeAt);
export const getWeak = uncurry(WeakMap.prototype.get);
export const setWeak = uncurry(WeakMap.prototype.set);
export const addMember = uncurry(Set.prototype.add);
export const deleteMember = uncurry(Set.prototype.delete);
export const eachMember = uncurry(Set.prototype.forEach);
export const Weak = WeakMap;
export const Members = Set;

const typedLength = getter(/** @type {object} */ (Reflect.getPrototypeOf(Uint8Array.prototype)), "byteLength");
const dataLength = getter(DataView.prototype, "byteLength");
/** Bytes that a view shows. @param {any} view */
export const lengthOfView = (view) => (isTypedArray(view) ? typedLength(view) : dataLength(view));
export const setBytes = uncurry(Uint8Array.prototype.set);

export const now = performance.now.bind(performance);
export const readSync = Deno.stdin.readSync.bind(Deno.stdin);
export const writeSync = Deno.stdout.writeSync.bind(Deno.stdout);
export const exit = Deno.exit.bind(Deno);
export const environment = Deno.env;
export const setVariable = Deno.env.set.bind(Deno.env);
/** @type {(text: string, into: Uint8Array) => {read: number, written: number}} */
export const encodeInto = TextEncoder.prototype.encodeInto.bind(new TextEncoder());

/**
 * The event loop's own timers. The global ones are Node's, and loading those takes a third of the start.
 * @type {(work: () => void, milliseconds: number) => any}
 */
export const startTimer = (work, milliseconds) => createTimer(work, milliseconds, undefined, false, true, true);
const { createTimer } = core;
export const stopTimer = core.cancelTimer;
export const refTimer = core.refTimer;
export const unrefTimer = core.unrefTimer;

const { immediateRefCount, queueImmediate, kRefed } = core;
/** Runs `work` in the event loop's next turn, outside any microtask. @param {() => void} work */
export function soon(work) {
  const immediate = {
    __proto__: null,
    _idleNext: null,
    _idlePrev: null,
    _onImmediate: work,
    _argv: null,
    _destroyed: false,
    [kRefed]: true,
    asyncId: 0,
    triggerAsyncId: 0,
  };
  immediateRefCount(true);
  queueImmediate(immediate);
}

/** UTF-8 bytes to text. @type {(bytes: Uint8Array) => string} */
export const decode = core.decode;
/** Length in UTF-8 bytes. @type {(text: string) => number} */
export const byteLength = core.byteLength;
/** Asynchronous read of standard input. @type {(bytes: Uint8Array) => Promise<number>} */
export const read = (bytes) => core.read(0, bytes);
export const refOp = core.refOpPromise;
export const unrefOp = core.unrefOpPromise;
/** Runs all microtasks; does nothing inside one. @type {() => void} */
export const runMicrotasks = core.runMicrotasks;
export const hasTicks = core.hasTickScheduled;
export const runTicks = core.processTicksAndRejections;
/** Whether anything referenced keeps the event loop alive. @type {() => boolean} */
export const hasMoreWork = core.eventLoopHasMoreWork;
/** @type {(value: unknown) => boolean} */
export const isPromise = core.isPromise;
/** @type {(value: unknown) => boolean} */
export const isNativeError = core.isNativeError;
export const AsyncVariable = core.AsyncVariable;
export const getAsyncContext = core.getAsyncContext;
export const setAsyncContext = core.setAsyncContext;
export const { compileFunction, isTypedArray } = core;
export const lists = Array.prototype;
export const iterate = lists[Symbol.iterator];
export const onRejection = core.setUnhandledPromiseRejectionHandler;
export const onUncaught = core.setReportExceptionCallback;
